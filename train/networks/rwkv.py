"""The common part of RWKV-6 and RWKV-7: embedding, head, and the state of a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from radio.model.spec.rwkv import HEAD_SIZE, Rwkv6Base, Rwkv7Spec
from train.networks.base import Model, State

GROUP_NORM_EPS = 64e-5  # 1e-5 · 8²: the reference divides the heads' output by 8 before the norm

RwkvSpec: TypeAlias = Rwkv6Base | Rwkv7Spec


class LayerState(NamedTuple):
    """The state of a layer: the last input of both token shifts (B, C), and the WKV matrices (B, H, N, N)."""

    att_shift: Tensor
    ffn_shift: Tensor
    wkv: Tensor


class RwkvBlock(nn.Module):
    """The parts of a layer: time mix and channel mix with their norms; the first layer also norms the embedding."""

    def __init__(self, spec: RwkvSpec, layer: int, att: nn.Module, ffn: nn.Module) -> None:
        super().__init__()
        self.first = layer == 0
        if self.first:
            self.ln0 = nn.LayerNorm(spec.width)
        self.ln1 = nn.LayerNorm(spec.width)
        self.ln2 = nn.LayerNorm(spec.width)
        self.att = att
        self.ffn = ffn
        self.drop = nn.Dropout(spec.dropout)


class Rwkv(Model):
    """Embedding, blocks, norm and head, with the initial values of both versions."""

    def __init__(self, spec: RwkvSpec, block: Callable[[int], RwkvBlock]) -> None:
        super().__init__(spec)
        self.emb = nn.Embedding(spec.vocabulary, spec.width)
        self.blocks = nn.ModuleList(block(layer) for layer in range(spec.layers))
        self.ln_out = nn.LayerNorm(spec.width)
        self.head = nn.Linear(spec.width, spec.vocabulary, bias=False)
        nn.init.uniform_(self.emb.weight, -1e-4, 1e-4)
        nn.init.orthogonal_(self.head.weight, gain=0.5 * max(1.0, spec.vocabulary / spec.width) ** 0.5)

    def zero_state(self, batch: int, device: torch.device | None = None) -> State:
        width = self.spec.width
        return [
            LayerState(
                torch.zeros(batch, width, device=device),
                torch.zeros(batch, width, device=device),
                torch.zeros(batch, width // HEAD_SIZE, HEAD_SIZE, HEAD_SIZE, device=device),
            )
            for _ in range(self.spec.layers)
        ]
