"""The WKV operator of RWKV-6, token by token: a slow and simple reference.

Source: Peng et al., "Eagle and Finch: RWKV with Matrix-Valued States and Dynamic Recurrence", arXiv 2404.05892,
section 4.1, equations 18–19 (per head):

    y_t = r_t · (diag(u) k_tᵀ v_t + S_t)        S_{t+1} = diag(w_t) S_t + k_tᵀ v_t        w_t = exp(log_w_t)
"""

from __future__ import annotations

import torch
from torch import Tensor


def wkv6_naive(  # noqa: PLR0917 - the operator's arguments in the order of the paper
    r: Tensor, k: Tensor, v: Tensor, log_w: Tensor, u: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """Run the recurrence over T tokens.

    Args:
        r, k, v: receptance, key, value, each (B, T, H, N), any floating dtype.
        log_w: log of the decay, (B, T, H, N), ≤ 0.
        u: bonus of the current token, (H, N).
        state: S before the first token, (B, H, N, N): key axis, then value axis.

    Returns:
        y (B, T, H, N) and S after the last token (B, H, N, N).
    """
    outputs = []
    for t in range(r.shape[1]):
        kv = k[:, t, :, :, None] * v[:, t, :, None, :]  # (B, H, N, N)
        outputs.append(torch.einsum("bhn,bhnm->bhm", r[:, t], state + u[:, :, None] * kv))
        state = log_w[:, t].exp()[..., None] * state + kv
    y = torch.stack(outputs, dim=1) if outputs else torch.zeros_like(v)
    return y, state
