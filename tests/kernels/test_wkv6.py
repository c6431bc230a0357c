from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kernels.wkv6_naive import wkv6_naive
from tests.kernels.gradients import assert_same
from train.operators.wkv6 import CHUNK, wkv6_chunked


def inputs(length: int, *, decay: float, seed: int = 0, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    torch.manual_seed(seed)
    batch, heads, size = 2, 3, 64
    r, k, v = (torch.randn(batch, length, heads, size, dtype=dtype) for _ in range(3))
    log_w = -torch.exp(torch.randn(batch, length, heads, size, dtype=dtype) + decay)
    u = torch.randn(heads, size, dtype=dtype)
    state = torch.randn(batch, heads, size, size, dtype=dtype)
    return [tensor.requires_grad_() for tensor in (r, k, v, log_w, u, state)]


@pytest.mark.parametrize("length", [1, 7, CHUNK, CHUNK + 1, 61])
@pytest.mark.parametrize("decay", [-6.0, -1.0])
def test_chunked_and_naive_agree_in_outputs_and_gradients(length: int, decay: float) -> None:
    assert_same(wkv6_chunked, wkv6_naive, inputs(length, decay=decay), 1e-3)


def test_extreme_decay_stays_finite() -> None:
    arguments = [tensor.detach().float() for tensor in inputs(40, decay=3.0)]
    y, state = wkv6_chunked(*arguments)
    expected, expected_state = wkv6_naive(*arguments)
    torch.testing.assert_close(y, expected, rtol=1e-3, atol=1e-2)
    torch.testing.assert_close(state, expected_state, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("cut", [1, 16, 33])
def test_two_windows_equal_one(cut: int) -> None:
    r, k, v, log_w, u, state = (tensor.detach() for tensor in inputs(50, decay=-1.0))
    whole, after = wkv6_chunked(r, k, v, log_w, u, state)
    first, middle = wkv6_chunked(r[:, :cut], k[:, :cut], v[:, :cut], log_w[:, :cut], u, state)
    second, end = wkv6_chunked(r[:, cut:], k[:, cut:], v[:, cut:], log_w[:, cut:], u, middle)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(end, after, rtol=1e-6, atol=1e-6)


def test_later_tokens_do_not_change_earlier_outputs() -> None:
    r, k, v, log_w, u, state = (tensor.detach() for tensor in inputs(48, decay=-1.0))
    y, _ = wkv6_chunked(r, k, v, log_w, u, state)
    for tensor in (r, k, v, log_w):
        tensor[:, 20:] = tensor[:, 20:] * 0.5 - 0.1
    changed, _ = wkv6_chunked(r, k, v, log_w, u, state)
    torch.testing.assert_close(changed[:, :20], y[:, :20], rtol=1e-9, atol=1e-9)
