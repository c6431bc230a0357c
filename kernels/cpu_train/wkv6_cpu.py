"""The WKV operator of RWKV-6 on the CPU: `wkv6.c` as a differentiable function."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kernels.cpu_train.library import DTYPES, SPAN, call


def wkv6(  # noqa: PLR0917 - the operator's arguments in the order of the paper
    r: Tensor, k: Tensor, v: Tensor, decay: Tensor, base: Tensor, u: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """Run the recurrence over T tokens in float32. Differentiable in all inputs.

    Args:
        r, k, v, decay: (B, T, H, 64), all float32 or all bfloat16. The decay factor is exp(-exp(base + decay)).
        base: base of the decay, (H, 64), float32.
        u: bonus of the current token, (H, 64), float32.
        state: state before the first token, (B, H, 64, 64), float32: key axis, then value axis.

    Returns:
        y (B, T, H, 64), float32, and the state after the last token.
    """
    y, after = _Wkv6.apply(r, k, v, decay, base, u, state)  # type: ignore[no-untyped-call]
    return y, after


class _Wkv6(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        inputs = tuple(tensor.contiguous() for tensor in inputs)
        r, state = inputs[0], inputs[-1]
        batch, length, heads, size = r.shape
        y, after = torch.empty(r.shape, dtype=torch.float32), torch.empty_like(state)
        saved = None
        if any(ctx.needs_input_grad):
            saved = torch.empty(batch, heads, -(-length // SPAN), size, size)
            ctx.save_for_backward(*inputs[:-1], saved)
        call("wkv6_forward", batch, length, heads, DTYPES[r.dtype], *inputs, y, after, saved)
        return y, after

    @staticmethod
    def backward(ctx: Any, dy: Tensor, dafter: Tensor) -> tuple[Tensor, ...]:
        *inputs, saved = ctx.saved_tensors
        r = inputs[0]
        batch, length, heads, size = r.shape
        tokens = [torch.empty_like(r) for _ in range(4)]
        base, bonus = (torch.empty(batch, heads, size) for _ in range(2))
        before = torch.empty_like(dafter)
        call(
            "wkv6_backward", batch, length, heads, DTYPES[r.dtype], *inputs, saved, dy.contiguous(),
            dafter.contiguous(), *tokens, base, bonus, before,
        )  # fmt: skip
        return *tokens, base.sum(0), bonus.sum(0), before
