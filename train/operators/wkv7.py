"""RWKV-7's WKV operator: in C if the machine supports it, or in chunks in PyTorch.

The chunked form computes matrix products within a chunk and one state update between chunks.
With P_t the decay from the chunk's start to just after token t, S_t = diag(P_t) Ŝ_t turns the recurrence into a sum,
Ŝ_t = S_0 + Σ_{s≤t} (b_s / P_s)ᵀ u_s + (k_s / P_s)ᵀ v_s, where u_t = a_t S_{t−1} is the value at the
key that token t removes. It depends on the tokens before it, so all u of a chunk solve one unit lower triangular system
(the WY form of a product of rank-one updates: Yang et al., "Parallelizing Linear Transformers with the Delta Rule",
arXiv 2406.06484, section 3; with decay: Yang et al., "Gated Delta Networks", arXiv 2412.06464, section 3.3).
"""

from __future__ import annotations

import torch
from torch import Tensor

from kernels import cpu_train

CHUNK = 16
"""RWKV-7's strongest decay is e^(−e^(−1/2)) = 0.545 per token. Over a chunk that is e^−9.7, far within float32, so it
needs no clamp."""


def wkv7(  # noqa: PLR0917 - the operator's arguments in the order of the authors' own code
    r: Tensor, log_w: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """Compute `kernels.wkv7_naive.wkv7_naive` with the fastest kernel; float32, log_w in RWKV-7's range."""
    return (cpu_train.wkv7 if cpu_train.supports_wkv(r) else wkv7_chunked)(r, log_w, k, v, a, b, state)


def wkv7_chunked(  # noqa: PLR0917 - the operator's arguments in the order of the authors' own code
    r: Tensor, log_w: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """Compute `kernels.wkv7_naive.wkv7_naive` in chunks, for any T; float32, log_w in RWKV-7's range."""
    batch, length, heads, size = r.shape
    padding = -length % CHUNK
    if padding:  # zeros and zero log decay leave the state unchanged
        r, log_w, k, v, a, b = (torch.nn.functional.pad(x, (0, 0, 0, 0, 0, padding)) for x in (r, log_w, k, v, a, b))
    chunks = (length + padding) // CHUNK
    # the shapes are now (B, H, chunks, CHUNK, N)
    r, log_w, k, v, a, b = (
        x.reshape(batch, chunks, CHUNK, heads, size).permute(0, 3, 1, 2, 4) for x in (r, log_w, k, v, a, b)
    )
    after = log_w.cumsum(dim=3)  # log decay from the chunk's start to just after each token
    rise = (-after).exp()
    added = torch.cat([b * rise, k * rise], dim=3)  # (…, 2·CHUNK, N): multiplied with u and v
    looks = a * (after - log_w).exp()
    reads = r * after.exp()
    chunk_decays = after[..., -1:, :].exp().transpose(-1, -2)  # (…, N, 1)

    looked, read = (torch.cat([looks, reads], dim=3) @ added.transpose(-1, -2)).chunk(2, dim=3)
    looked, read = looked * _mask(-1, r), read * _mask(0, r)
    on_taken, on_keys = looked.chunk(2, dim=4)  # (…, CHUNK, CHUNK)
    eye = torch.eye(CHUNK, dtype=r.dtype, device=r.device)
    own, from_state = torch.linalg.solve_triangular(
        eye - on_taken, torch.cat([on_keys @ v, looks], dim=4), upper=False, unitriangular=True
    ).chunk(2, dim=4)  # u = own + from_state · S before the chunk

    takers, new = added[..., :CHUNK, :].transpose(-1, -2), added[..., CHUNK:, :].transpose(-1, -2) @ v
    states, corrections = [], []
    # unbind instead of indexing, whose gradient is a full tensor of zeros for each chunk
    pieces = (own, from_state, takers, new, chunk_decays)
    for own_here, share, taker, new_here, chunk_decay in zip(*(piece.unbind(2) for piece in pieces), strict=True):
        u = own_here + share @ state
        states.append(state)
        corrections.append(u)
        state = chunk_decay * (state + taker @ u + new_here)
    y = reads @ torch.stack(states, dim=2) + read @ torch.cat([torch.stack(corrections, dim=2), v], dim=3)
    y = y.permute(0, 2, 3, 1, 4).reshape(batch, length + padding, heads, size)
    return y[:, :length], state


def _mask(diagonal: int, like: Tensor) -> Tensor:
    """Return a causal mask (including the token itself for `diagonal` 0), repeated side by side: (CHUNK, 2·CHUNK)."""
    return torch.ones(CHUNK, CHUNK, dtype=like.dtype, device=like.device).tril(diagonal).repeat(1, 2)
