"""Comparison of two implementations of an operator, outputs and all gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Operator = Callable[..., tuple[Tensor, Tensor]]


def assert_same(operator: Operator, reference: Operator, arguments: Sequence[Tensor], tolerance: float) -> None:
    """Assert that outputs, and gradients of a random sum of them, agree relative to the largest value of each."""
    results = []
    for function in (reference, operator):
        y, state = function(*arguments)
        torch.manual_seed(1)
        # not randn_like, which fills in the order of strides, and these may differ
        loss = (y * torch.randn(y.shape)).sum() + (state * torch.randn(state.shape)).sum()
        loss.backward()
        results.append([y, state, *(tensor.grad for tensor in arguments)])
        for tensor in arguments:
            tensor.grad = None
    for expected, actual in zip(*results, strict=True):
        torch.testing.assert_close(
            actual, expected, rtol=tolerance, atol=tolerance * float(expected.detach().abs().max())
        )
