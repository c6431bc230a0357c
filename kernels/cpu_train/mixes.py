"""The element-wise parts of RWKV blocks as differentiable functions, implemented in `shift.c` and `gate.c`.

Inputs and outputs of matrix products have the dtype of the products, float32 or bfloat16. Those of norms are float32.
The last axis is a multiple of 16.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kernels.cpu_train.library import DTYPES, HEAD_SIZE, LANES, call

BLOCKS = 32
"""Partial sums over the tokens. The number is fixed so that results do not depend on the number of threads."""


def token_shift(x: Tensor, last: Tensor, maa: Tensor, offsets: Tensor | None, dtype: torch.dtype) -> tuple[Tensor, ...]:
    """Return K mixes of each token with the previous one: x + (previous - x)(maa_k + offset_k), each (B, T, C).

    Args:
        x: (B, T, C), float32.
        last: the token before the first one, (B, C), float32.
        maa: (K, C), float32.
        offsets: (K, B, T, C) of `dtype`, or None for 0.
        dtype: dtype of the result.
    """
    mixed: tuple[Tensor, ...] = _TokenShift.apply(x, last, maa, offsets, dtype)  # type: ignore[no-untyped-call]
    return mixed


def gated_norm(y: Tensor, gate: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """Return the norm of each head of `y` (B, T, H, 64) float32, times silu(gate); gate and result are (B, T, H·64)."""
    gated: Tensor = _GatedNorm.apply(y, gate, weight, bias, eps)  # type: ignore[no-untyped-call]
    return gated


def squared_relu(x: Tensor) -> Tensor:
    """Return max(x, 0)²."""
    squared: Tensor = _SquaredRelu.apply(x)  # type: ignore[no-untyped-call]
    return squared


def sigmoid_gate(gate: Tensor, value: Tensor) -> Tensor:
    """Return sigmoid(gate) · value; both have the same shape and dtype."""
    gated: Tensor = _SigmoidGate.apply(gate, value)  # type: ignore[no-untyped-call]
    return gated


class _TokenShift(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917 - the arguments of apply()
        ctx: Any, x: Tensor, last: Tensor, maa: Tensor, offsets: Tensor | None, dtype: torch.dtype
    ) -> tuple[Tensor, ...]:
        x, last, maa = x.contiguous(), last.contiguous(), maa.contiguous()
        offsets = None if offsets is None else offsets.contiguous()
        mixed = tuple(torch.empty(x.shape, dtype=dtype) for _ in range(len(maa)))
        call("shift_forward", *x.shape, len(maa), DTYPES[dtype], x, last, maa, offsets, mixed)
        ctx.save_for_backward(x, last, maa, offsets)
        return mixed

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, last, maa, offsets = ctx.saved_tensors
        gradients = tuple(gradient.contiguous() for gradient in gradients)
        dx, dlast, dmaa = torch.empty_like(x), torch.empty_like(last), torch.empty(len(x), *maa.shape)
        doffsets = None if offsets is None else torch.empty_like(offsets)
        call(
            "shift_backward", *x.shape, len(maa), DTYPES[gradients[0].dtype], x, last, maa, offsets, gradients,
            dx, dlast, dmaa, doffsets,
        )  # fmt: skip
        return dx, dlast, dmaa.sum(0), doffsets, None


class _GatedNorm(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917 - the arguments of apply()
        ctx: Any, y: Tensor, gate: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> Tensor:
        y, gate = y.contiguous(), gate.contiguous()
        out = torch.empty_like(gate)
        ctx.sizes = (y.numel() // gate.shape[-1], gate.shape[-1] // HEAD_SIZE, DTYPES[gate.dtype], eps)
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
        call("squared_relu_forward", x.numel() // LANES, DTYPES[x.dtype], x, out)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        dx = torch.empty_like(x)
        call("squared_relu_backward", x.numel() // LANES, DTYPES[x.dtype], x, gradient.contiguous(), dx)
        return dx


class _SigmoidGate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: Tensor, value: Tensor) -> Tensor:
        gate, value = gate.contiguous(), value.contiguous()
        ctx.save_for_backward(gate, value)
        out = torch.empty_like(gate)
        call("sigmoid_gate_forward", gate.numel() // LANES, DTYPES[gate.dtype], gate, value, out)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        gate, value = ctx.saved_tensors
        dgate, dvalue = torch.empty_like(gate), torch.empty_like(value)
        call(
            "sigmoid_gate_backward", gate.numel() // LANES, DTYPES[gate.dtype], gate, value, gradient.contiguous(),
            dgate, dvalue,
        )  # fmt: skip
        return dgate, dvalue
