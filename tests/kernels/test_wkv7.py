from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kernels.wkv7_naive import wkv7_naive
from tests.kernels.gradients import assert_same
from train.operators.wkv7 import CHUNK, wkv7_chunked


def inputs(length: int, *, decay: float = 0.0, seed: int = 0, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """Return inputs in the ranges of RWKV-7: a removed unit key, a rate in (0, 1), a decay in (e^(−e^−½), 1)."""
    torch.manual_seed(seed)
    batch, heads, size = 2, 2, 64
    shape = (batch, length, heads, size)
    r, k, v = (torch.randn(shape, dtype=dtype) for _ in range(3))
    log_w = -0.606531 * torch.sigmoid(torch.randn(shape, dtype=dtype) + decay)
    unit = torch.nn.functional.normalize(torch.randn(shape, dtype=dtype), dim=-1)
    rate = torch.sigmoid(torch.randn(shape, dtype=dtype))
    state = torch.randn(batch, heads, size, size, dtype=dtype)
    return [tensor.requires_grad_() for tensor in (r, log_w, k, v, -unit, unit * rate, state)]


def test_the_naive_operator_agrees_with_the_equation_of_the_paper() -> None:
    """arXiv 2503.14456, equation 17, in the axes of the paper: S (diag(w) − κ̂ᵀ(a ⊙ κ̂)) + vᵀ k, read by S rᵀ."""
    r, log_w, k, v, a, b, state = (tensor.detach()[:1] for tensor in inputs(9))
    y, after = wkv7_naive(r, log_w, k, v, a, b, state)
    for head in range(2):
        paper = state[0, head].T
        for t in range(9):
            row = [x[0, t, head][None] for x in (r, log_w, k, v, a, b)]  # (1, N) each, as in the paper
            transition = torch.diag(row[1][0].exp()) + row[4].T @ row[5]
            paper = paper @ transition + row[3].T @ row[2]
            torch.testing.assert_close(y[0, t, head], (paper @ row[0].T)[:, 0])
        torch.testing.assert_close(after[0, head], paper.T)


@pytest.mark.parametrize("length", [1, 7, CHUNK, CHUNK + 1, 61])
@pytest.mark.parametrize("decay", [-4.0, 0.0, 6.0])
def test_chunked_and_naive_agree_in_outputs_and_gradients(length: int, decay: float) -> None:
    assert_same(wkv7_chunked, wkv7_naive, inputs(length, decay=decay), 1e-6)


def test_float32_suffices_for_the_strongest_decay_and_equal_keys() -> None:
    """The decay is the strongest of RWKV-7, and every token writes and removes the same direction."""
    exact = [tensor.detach() for tensor in inputs(70, decay=20.0)]
    exact[4] = exact[4][:, :1].expand_as(exact[4])
    exact[5] = -0.99 * exact[4]
    rounded = [tensor.float() for tensor in exact]
    for actual, expected in zip(wkv7_chunked(*rounded), wkv7_naive(*exact), strict=True):
        torch.testing.assert_close(actual.double(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("cut", [1, 16, 33])
def test_two_windows_equal_one(cut: int) -> None:
    *steps, state = (tensor.detach() for tensor in inputs(50))
    whole, after = wkv7_chunked(*steps, state)
    first, middle = wkv7_chunked(*(x[:, :cut] for x in steps), state)
    second, end = wkv7_chunked(*(x[:, cut:] for x in steps), middle)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(end, after, rtol=1e-6, atol=1e-6)


def test_later_tokens_do_not_change_earlier_outputs() -> None:
    *steps, state = (tensor.detach() for tensor in inputs(48))
    y, _ = wkv7_chunked(*steps, state)
    for tensor in steps:
        tensor[:, 20:] = tensor[:, 20:] * 0.5
    changed, _ = wkv7_chunked(*steps, state)
    torch.testing.assert_close(changed[:, :20], y[:, :20], rtol=1e-9, atol=1e-9)
