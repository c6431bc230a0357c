"""A Transformer with rotary positions, torch's fused attention, and keys and values carried from window to window.

Each token attends to the last `context` tokens, including itself, across windows, as in the engine's step.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from radio.model.baselines.rotary import angles
from radio.model.spec.baselines import TransformerSpec
from train.networks.baselines.base import Baseline, Block


class Attention(Block):
    """Attention and SwiGLU.

    Its state is M = context − 1 keys (before rotation) and values, (B, M, C), and a mask of those that exist, (B, M):
    a lane that starts fresh has none.
    """

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__()
        self.spec = spec
        width, hidden = spec.width, spec.hidden
        self.ln1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.ln2 = nn.LayerNorm(width)
        self.gate = nn.Linear(width, hidden, bias=False)
        self.up = nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)
        self.drop = nn.Dropout(spec.dropout)
        for matrix in (self.qkv, self.gate, self.up):
            nn.init.normal_(matrix.weight, std=width**-0.5)
        for matrix in (self.output, self.down):
            nn.init.zeros_(matrix.weight)

    def zero_state(self, batch: int, device: torch.device | None) -> tuple[Tensor, ...]:
        count = self.spec.context - 1
        return (
            torch.zeros(batch, count, self.spec.width, device=device),
            torch.zeros(batch, count, self.spec.width, device=device),
            torch.zeros(batch, count, dtype=torch.bool, device=device),
        )

    def forward(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        q, k, v = self.qkv(self.ln1(x)).chunk(3, dim=-1)
        keys, values = (torch.cat([old.to(new), new], dim=1) for old, new in zip(state[:2], (k, v), strict=True))
        real = functional.pad(state[2], (0, x.shape[1]), value=True)
        x = x + self.drop(self.output(self.attend(q, keys, values, real)))
        seen = self.ln2(x)
        x = x + self.drop(self.down(functional.silu(self.gate(seen)) * self.up(seen)))
        last = slice(x.shape[1], None)
        return x, (keys[:, last].float(), values[:, last].float(), real[:, last])

    def attend(self, q: Tensor, keys: Tensor, values: Tensor, real: Tensor) -> Tensor:
        """Return the attention (B, T, C) of queries (B, T, C) to keys and values (B, M + T, C) where `real` is True."""
        batch, length, width = q.shape
        known = keys.shape[1]
        rotation = angles(range(known), self.spec.head_size)
        cos, sin = (torch.from_numpy(part).to(q)[:, None] for part in (np.cos(rotation), np.sin(rotation)))

        def split(tensor: Tensor) -> Tensor:
            return tensor.view(batch, -1, self.spec.heads, self.spec.head_size)

        before = known - length
        q = rotate(split(q), cos[before:], sin[before:])
        keys = rotate(split(keys), cos, sin)
        now = torch.arange(length, device=q.device)[:, None]
        then = torch.arange(known, device=q.device)
        within = (now <= then) & (then <= now + before)  # (T, M + T)
        out = functional.scaled_dot_product_attention(
            q.transpose(1, 2),
            keys.transpose(1, 2),
            split(values).transpose(1, 2),
            attn_mask=(within & real[:, None])[:, None],
        )
        return out.transpose(1, 2).reshape(batch, length, width)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate pairs of channels, N/2 apart: x (B, T, H, N), cos and sin (T, 1, N/2)."""
    one, other = x.chunk(2, dim=-1)
    return torch.cat([one * cos - other * sin, other * cos + one * sin], dim=-1)


class Transformer(Baseline):
    """A stack of attention blocks."""

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__(spec, (Attention(spec) for _ in range(spec.layers)))
