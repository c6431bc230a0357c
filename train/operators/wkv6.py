"""RWKV-6's WKV operator: in CUDA or C if the machine supports it, or in chunks in PyTorch.

The chunked form computes matrix products within a chunk and one state update between chunks. Within a chunk, y_t sums
r_t·k_s over s < t, each channel decayed by exp(c_{t-1} - c_s), where c is the running sum of the log decay. The
exponent splits into a factor on r and one on k, both relative to the chunk's middle so that neither overflows (the
chunked form of Yang et al., "Gated Linear Attention", arXiv 2312.06635, section 4).
"""

from __future__ import annotations

import torch
from torch import Tensor

from kernels import cpu_train, cuda

CHUNK = 16
STRONGEST_DECAY = -10.0
"""The strongest decay: half a chunk of it fits into float32's exponent, and e⁻¹⁰ per token is practically zero."""


def wkv6(  # noqa: PLR0917 - the operator's arguments in the order of the paper
    r: Tensor, k: Tensor, v: Tensor, decay: Tensor, base: Tensor, u: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """Compute the recurrence over T tokens with the fastest kernel available; return y and the state in float32.

    Args:
        r, k, v, decay: (B, T, H, N) of one dtype. At each token a channel is multiplied by exp(-exp(base + decay)).
        base, u: (H, N). state: (B, H, N, N), key axis, then value axis.
    """
    if cpu_train.supports_wkv(r):
        return cpu_train.wkv6(r, k, v, decay, base, u, state)
    with torch.autocast(r.device.type, enabled=False):  # the recurrence sums over the whole past
        if cuda.supports_wkv(r):
            y, state = cuda.wkv6(r, k, v, -(base + decay.float()).exp(), u, state)
            return y.float(), state
        r, k, v, decay = (x.float() for x in (r, k, v, decay))
        return wkv6_chunked(r, k, v, -(base + decay).exp(), u, state)


def wkv6_chunked(  # noqa: PLR0917 - the operator's arguments in the order of the paper
    r: Tensor, k: Tensor, v: Tensor, log_w: Tensor, u: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """Compute `kernels.wkv6_naive.wkv6_naive` in chunks, for any T, with the same shapes in float32."""
    batch, length, heads, size = r.shape
    padding = -length % CHUNK
    if padding:  # zero keys and zero log decay leave the state unchanged
        r, k, v, log_w = (torch.nn.functional.pad(x, (0, 0, 0, 0, 0, padding)) for x in (r, k, v, log_w))
    chunks = (length + padding) // CHUNK
    # the shapes are now (B, H, chunks, CHUNK, N)
    r, k, v, log_w = (x.reshape(batch, chunks, CHUNK, heads, size).permute(0, 3, 1, 2, 4) for x in (r, k, v, log_w))

    after = log_w.clamp(min=STRONGEST_DECAY).cumsum(dim=3)  # decay from the chunk's start to just after each token
    before = after - log_w.clamp(min=STRONGEST_DECAY)
    total = after[..., -1:, :]
    middle = after[..., CHUNK // 2 - 1 : CHUNK // 2, :]

    scores = (r * (before - middle).exp()) @ (k * (middle - after).exp()).transpose(-1, -2)  # (…, CHUNK, CHUNK)
    earlier = torch.ones(CHUNK, CHUNK, dtype=torch.bool, device=r.device).tril(-1)
    scores = torch.where(earlier, scores, scores.new_zeros(()))
    bonus = (r * u[None, :, None, None] * k).sum(dim=-1, keepdim=True)  # (…, CHUNK, 1)
    y = scores @ v + bonus * v

    added = (k * (total - after).exp()).transpose(-1, -2) @ v  # (B, H, chunks, N, N): the contribution of each chunk
    chunk_decays = total.exp().transpose(-1, -2)  # (B, H, chunks, N, 1)
    states = []
    # unbind instead of indexing, whose gradient is a full tensor of zeros for each chunk
    for chunk_decay, chunk_added in zip(chunk_decays.unbind(2), added.unbind(2), strict=True):
        states.append(state)
        state = torch.addcmul(chunk_added, chunk_decay, state)
    y = y + (r * before.exp()) @ torch.stack(states, dim=2)
    y = y.permute(0, 2, 3, 1, 4).reshape(batch, length + padding, heads, size)
    return y[:, :length], state
