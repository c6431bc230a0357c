"""The explicit loops give the same outputs and gradients as torch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from train.networks.baselines.scan import GruScan, RnnScan


def random(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator).requires_grad_()


@pytest.mark.parametrize(("length", "lanes"), [(1, 1), (9, 3)])
@pytest.mark.parametrize(("scan", "gates"), [(RnnScan, 1), (GruScan, 3)])
def test_outputs_and_gradients_equal_those_of_torch(scan: type, gates: int, length: int, lanes: int) -> None:
    width = 5
    inputs, hidden = random(length, lanes, gates * width, seed=0), random(lanes, width, seed=1)
    matrix, bias = random(gates * width, width, seed=2), random(gates * width, seed=3)
    out_gradient = random(length, lanes, width, seed=4).detach()
    torchs = torch.gru if scan is GruScan else torch.rnn_tanh
    weights = [torch.eye(gates * width, dtype=torch.float64), matrix, torch.zeros(gates * width).double(), bias]
    expected, last = torchs(inputs, hidden[None], weights, True, 1, 0.0, True, False, False)
    leaves = [inputs, matrix, bias, hidden]
    expected_gradients = torch.autograd.grad((expected * out_gradient).sum(), leaves)
    actual = scan.apply(inputs, matrix, bias, hidden) if scan is GruScan else scan.apply(inputs + bias, matrix, hidden)
    torch.testing.assert_close(actual, expected)
    torch.testing.assert_close(actual[-1], last[0])
    for mine, theirs in zip(
        torch.autograd.grad((actual * out_gradient).sum(), leaves), expected_gradients, strict=True
    ):
        torch.testing.assert_close(mine, theirs)
