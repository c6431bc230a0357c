from __future__ import annotations

import torch
from torch import Tensor

from kernels.wkv7_naive import wkv7_naive


def inputs(length: int, *, decay: float = 0.0, seed: int = 0, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """What RWKV-7 gives the operator: a unit key that is taken out, a rate in (0, 1), a decay in (e^(−e^−½), 1)."""
    torch.manual_seed(seed)
    batch, heads, size = 2, 3, 64
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
    for head in range(3):
        paper = state[0, head].T
        for t in range(9):
            row = [x[0, t, head][None] for x in (r, log_w, k, v, a, b)]  # (1, N) each, as the paper writes them
            transition = torch.diag(row[1][0].exp()) + row[4].T @ row[5]
            paper = paper @ transition + row[3].T @ row[2]
            torch.testing.assert_close(y[0, t, head], (paper @ row[0].T)[:, 0])
        torch.testing.assert_close(after[0, head], paper.T)
