"""The element-wise parts of RWKV's blocks as differentiable functions: `shift.c` and `gate.c`.

Tensors that stand between matrix products are of the products' dtype, float32 or bfloat16; what comes from a norm or
goes into one is float32. The last axis is a multiple of 16.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kernels.cpu_train.library import HEAD_SIZE, KINDS, LANES, call

BLOCKS = 32
"""Parts of a sum over all tokens: the same for any number of threads, and so is the sum."""


def token_shift(x: Tensor, last: Tensor, maa: Tensor, offsets: Tensor | None, dtype: torch.dtype) -> tuple[Tensor, ...]:
    """K mixes of each token with the one before it: x + (before - x)(maa_k + offset_k), each (B, T, C) of `dtype`.

    Args:
        x: (B, T, C) float32. last: (B, C), what stands before its first token. maa: (K, C).
        offsets: (K, B, T, C) of `dtype`.
    """
    mixed: tuple[Tensor, ...] = _TokenShift.apply(x, last, maa, offsets, dtype)  # type: ignore[no-untyped-call]
    return mixed


def gated_norm(y: Tensor, gate: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """The norm of each head of y (B, T, H, 64) float32, times silu(gate), (B, T, H·64) as the result is."""
    gated: Tensor = _GatedNorm.apply(y, gate, weight, bias, eps)  # type: ignore[no-untyped-call]
    return gated


def squared_relu(x: Tensor) -> Tensor:
    """max(x, 0)²."""
    squared: Tensor = _SquaredRelu.apply(x)  # type: ignore[no-untyped-call]
    return squared


def sigmoid_gate(gate: Tensor, value: Tensor) -> Tensor:
    """sigmoid(gate) · value, both of one shape and dtype."""
    gated: Tensor = _SigmoidGate.apply(gate, value)  # type: ignore[no-untyped-call]
    return gated


class _TokenShift(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917 - what apply() was given
        ctx: Any, x: Tensor, last: Tensor, maa: Tensor, offsets: Tensor | None, dtype: torch.dtype
    ) -> tuple[Tensor, ...]:
        x, last, maa = x.contiguous(), last.contiguous(), maa.contiguous()
        offsets = None if offsets is None else offsets.contiguous()
        mixed = tuple(torch.empty(x.shape, dtype=dtype) for _ in range(len(maa)))
        call("shift_forward", *x.shape, len(maa), KINDS[dtype], x, last, maa, offsets, mixed)
        ctx.save_for_backward(x, last, maa, offsets)
        return mixed

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, last, maa, offsets = ctx.saved_tensors
        gradients = tuple(gradient.contiguous() for gradient in gradients)
        dx, dlast, dmaa = torch.empty_like(x), torch.empty_like(last), torch.empty(len(x), *maa.shape)
        doffsets = None if offsets is None else torch.empty_like(offsets)
        call(
            "shift_backward", *x.shape, len(maa), KINDS[gradients[0].dtype], x, last, maa, offsets, gradients,
            dx, dlast, dmaa, doffsets,
        )  # fmt: skip
        return dx, dlast, dmaa.sum(0), doffsets, None


class _GatedNorm(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917 - likewise
        ctx: Any, y: Tensor, gate: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> Tensor:
        y, gate = y.contiguous(), gate.contiguous()
        out = torch.empty_like(gate)
        ctx.sizes = (y.numel() // gate.shape[-1], gate.shape[-1] // HEAD_SIZE, KINDS[gate.dtype], eps)
        call("gated_norm_forward", *ctx.sizes, y, gate, weight, bias, out)
        ctx.save_for_backward(y, gate, weight, bias)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        y, gate, weight, bias = ctx.saved_tensors
        dy, dgate = torch.empty_like(y), torch.empty_like(gate)
        dweight, dbias = (torch.empty(BLOCKS, len(weight)) for _ in range(2))
        call(
            "gated_norm_backward", *ctx.sizes, y, gate, weight, bias, gradient.contiguous(),
            dy, dgate, dweight, dbias, BLOCKS,
        )  # fmt: skip
        return dy, dgate, dweight.sum(0), dbias.sum(0), None


class _SquaredRelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x.contiguous()
        ctx.save_for_backward(x)
        out = torch.empty_like(x)
        call("squared_relu_forward", x.numel() // LANES, KINDS[x.dtype], x, out)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        dx = torch.empty_like(x)
        call("squared_relu_backward", x.numel() // LANES, KINDS[x.dtype], x, gradient.contiguous(), dx)
        return dx


class _SigmoidGate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: Tensor, value: Tensor) -> Tensor:
        gate, value = gate.contiguous(), value.contiguous()
        ctx.save_for_backward(gate, value)
        out = torch.empty_like(gate)
        call("sigmoid_gate_forward", gate.numel() // LANES, KINDS[gate.dtype], gate, value, out)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        gate, value = ctx.saved_tensors
        dgate, dvalue = torch.empty_like(gate), torch.empty_like(value)
        call(
            "sigmoid_gate_backward", gate.numel() // LANES, KINDS[gate.dtype], gate, value, gradient.contiguous(),
            dgate, dvalue,
        )  # fmt: skip
        return dgate, dvalue
