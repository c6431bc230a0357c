from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kernels.wkv7_naive import wkv7_naive
from tests.kernels.gradients import assert_same
from train.operators.wkv7 import CHUNK, wkv7_chunked


def inputs(length: int, *, decay: float = 0.0, seed: int = 0, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """What RWKV-7 gives the operator: a unit key that is taken out, a rate in (0, 1), a decay in (e^(−e^−½), 1)."""
    torch.manual_seed(seed)
    batch, heads, size = 2, 2, 64
    shape = (batch, length, heads, size)
    r, k, v = (torch.randn(shape, dtype=dtype) for _ in range(3))
    log_w = -0.606531 * torch.sigmoid(torch.randn(shape, dtype=dtype) + decay)
    unit = torch.nn.functional.normalize(torch.randn(shape, dtype=dtype), dim=-1)
    rate = torch.sigmoid(torch.randn(shape, dtype=dtype))
    state = torch.randn(batch, heads, size, size, dtype=dtype)
    return [tensor.requires_grad_() for tensor in (r, log_w, k, v, -unit, unit * rate, state)]


def test_the_naive_form_is_the_papers_equation() -> None:
    """arXiv 2503.14456, equation 17, in the paper's own axes: S (diag(w) − κ̂ᵀ(a ⊙ κ̂)) + vᵀ k, read by S rᵀ."""
    r, log_w, k, v, a, b, state = (tensor.detach()[:1] for tensor in inputs(9))
    y, after = wkv7_naive(r, log_w, k, v, a, b, state)
    for head in range(2):
        paper = state[0, head].T
        for t in range(9):
            row = [x[0, t, head][None] for x in (r, log_w, k, v, a, b)]  # (1, N) each, as the paper writes them
            transition = torch.diag(row[1][0].exp()) + row[4].T @ row[5]
            paper = paper @ transition + row[3].T @ row[2]
            torch.testing.assert_close(y[0, t, head], (paper @ row[0].T)[:, 0])
        torch.testing.assert_close(after[0, head], paper.T)


@pytest.mark.parametrize("length", [1, 7, CHUNK, CHUNK + 1, 61])
@pytest.mark.parametrize("decay", [-4.0, 0.0, 6.0])
def test_the_chunked_form_is_the_naive_one_gradients_too(length: int, decay: float) -> None:
    assert_same(wkv7_chunked, wkv7_naive, inputs(length, decay=decay), 1e-6)


def test_float32_is_enough_even_where_all_is_forgotten_and_every_key_is_the_same() -> None:
    """The strongest decay that RWKV-7 has, and one direction that is written and taken out at every token."""
    exact = [tensor.detach() for tensor in inputs(70, decay=20.0)]
    exact[4] = exact[4][:, :1].expand_as(exact[4])
    exact[5] = -0.99 * exact[4]
    rounded = [tensor.float() for tensor in exact]
    for found, expected in zip(wkv7_chunked(*rounded), wkv7_naive(*exact), strict=True):
        torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("cut", [1, 16, 33])
def test_state_out_and_in_again_is_as_if_never_cut(cut: int) -> None:
    *steps, state = (tensor.detach() for tensor in inputs(50))
    whole, after = wkv7_chunked(*steps, state)
    first, middle = wkv7_chunked(*(x[:, :cut] for x in steps), state)
    second, end = wkv7_chunked(*(x[:, cut:] for x in steps), middle)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(end, after, rtol=1e-6, atol=1e-6)


def test_nothing_later_changes_what_came_before() -> None:
    *steps, state = (tensor.detach() for tensor in inputs(48))
    y, _ = wkv7_chunked(*steps, state)
    for tensor in steps:
        tensor[:, 20:] = tensor[:, 20:] * 0.5
    changed, _ = wkv7_chunked(*steps, state)
    torch.testing.assert_close(changed[:, :20], y[:, :20], rtol=1e-9, atol=1e-9)
