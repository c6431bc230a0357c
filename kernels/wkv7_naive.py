"""The WKV operator of RWKV-7, token by token: a slow and simple reference.

Source: Peng et al., "RWKV-7 Goose with Expressive Dynamic State Evolution", arXiv 2503.14456, section 4.1, equations
12–17. As in RWKV-6, the key axis of the state comes before the value axis, the transpose of the paper (per head):

    S_t = diag(w_t) S_{t-1} + b_tᵀ (a_t S_{t-1}) + k_tᵀ v_t        y_t = r_t S_t        w_t = exp(log_w_t)

a_t = −κ̂_t selects the value stored under the normalized key κ̂_t, and b_t = κ̂_t ⊙ (in-context learning rate) removes a
share of it.
"""

from __future__ import annotations

import torch
from torch import Tensor


def wkv7_naive(  # noqa: PLR0917 - the operator's arguments in the order of the reference code
    r: Tensor, log_w: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """Run the recurrence over T tokens.

    Args:
        r, k, v: receptance, key, value, each (B, T, H, N), any floating dtype.
        log_w: log of the decay, (B, T, H, N), ≤ 0; in RWKV-7 in (−e^{−1/2}, 0).
        a, b: the rank-one part of the transition, (B, T, H, N).
        state: S before the first token, (B, H, N, N): key axis, then value axis.

    Returns:
        y (B, T, H, N) and S after the last token (B, H, N, N).
    """
    outputs = []
    for t in range(r.shape[1]):
        removed = torch.einsum("bhn,bhnm->bhm", a[:, t], state)  # before the decay of this token
        state = (
            log_w[:, t].exp()[..., None] * state
            + b[:, t, :, :, None] * removed[..., None, :]
            + k[:, t, :, :, None] * v[:, t, :, None, :]
        )
        outputs.append(torch.einsum("bhn,bhnm->bhm", r[:, t], state))
    y = torch.stack(outputs, dim=1) if outputs else torch.zeros_like(v)
    return y, state
