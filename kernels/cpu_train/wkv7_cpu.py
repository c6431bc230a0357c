"""The WKV operator of RWKV-7 on the CPU: `wkv7.c` as a differentiable function."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kernels.cpu_train.library import DTYPES, SPAN, call


def wkv7(  # noqa: PLR0917 - the operator's arguments in the order of the reference code
    r: Tensor, log_w: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """Run the recurrence over T tokens in float32. Differentiable in all inputs.

    Args:
        r, log_w, k, v, a, b: as in `kernels.wkv7_naive`, (B, T, H, 64), all float32 or all bfloat16.
        state: state before the first token, (B, H, 64, 64), float32: key axis, then value axis.

    Returns:
        y (B, T, H, 64), float32, and the state after the last token.
    """
    y, after = _Wkv7.apply(r, log_w, k, v, a, b, state)  # type: ignore[no-untyped-call]
    return y, after


class _Wkv7(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        inputs = tuple(tensor.contiguous() for tensor in inputs)
        r, state = inputs[0], inputs[-1]
        batch, length, heads, size = r.shape
        y, removed = (torch.empty(r.shape, dtype=torch.float32) for _ in range(2))
        after, saved = torch.empty_like(state), None
        if any(ctx.needs_input_grad):
            saved = torch.empty(batch, heads, -(-length // SPAN), size, size)
            ctx.save_for_backward(*inputs[:-1], removed, saved)
        call("wkv7_forward", batch, length, heads, DTYPES[r.dtype], *inputs, y, after, removed, saved)
        return y, after

    @staticmethod
    def backward(ctx: Any, dy: Tensor, dafter: Tensor) -> tuple[Tensor, ...]:
        *inputs, removed, saved = ctx.saved_tensors
        batch, length, heads, _ = inputs[0].shape
        tokens = [torch.empty_like(tensor) for tensor in inputs]
        before = torch.empty_like(dafter)
        call(
            "wkv7_backward", batch, length, heads, DTYPES[inputs[0].dtype], *inputs, removed, saved, dy.contiguous(),
            dafter.contiguous(), *tokens, before,
        )  # fmt: skip
        return *tokens, before
