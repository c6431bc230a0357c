"""Two forms of one operator, compared in outputs and in all gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Operator = Callable[..., tuple[Tensor, Tensor]]


def assert_same(form: Operator, reference: Operator, arguments: Sequence[Tensor], tolerance: float) -> None:
    """y, the state after it, and the gradient of a random sum of both to every argument: relative to the largest."""
    results = []
    for operator in (reference, form):
        y, state = operator(*arguments)
        torch.manual_seed(1)
        # not randn_like: it fills in the order of strides, which two forms need not share
        loss = (y * torch.randn(y.shape)).sum() + (state * torch.randn(state.shape)).sum()
        loss.backward()
        results.append([y, state, *(tensor.grad for tensor in arguments)])
        for tensor in arguments:
            tensor.grad = None
    for expected, found in zip(*results, strict=True):
        torch.testing.assert_close(
            found, expected, rtol=tolerance, atol=tolerance * float(expected.detach().abs().max())
        )
