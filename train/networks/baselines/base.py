"""The common part of all baselines: they differ only in the blocks that look into the past.

Shapes: B lanes, T tokens, C width, V tokens known to the model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from radio.model.spec.baselines import BaselineSpec
from train.networks.base import Model, State


class Block(nn.Module, ABC):
    """A layer on the residual stream (B, T, C). Its state is a tuple of tensors whose first axis is the lanes."""

    @abstractmethod
    def zero_state(self, batch: int, device: torch.device | None) -> tuple[Tensor, ...]:
        """Return the initial state of `batch` lanes."""

    @abstractmethod
    def forward(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the stream with the layer's output added, and the state after it."""


class Baseline(Model):
    """Embedding, blocks and head; embedding and head are initialized as in RWKV-6."""

    def __init__(self, spec: BaselineSpec, blocks: Iterable[Block]) -> None:
        super().__init__(spec)
        self.emb = nn.Embedding(spec.vocabulary, spec.width)
        self.ln0 = nn.LayerNorm(spec.width)
        self.blocks: Iterable[Block] = nn.ModuleList(blocks)  # type: ignore[assignment]  # torch: of any modules
        self.ln_out = nn.LayerNorm(spec.width)
        self.head = nn.Linear(spec.width, spec.vocabulary, bias=False)
        nn.init.uniform_(self.emb.weight, -1e-4, 1e-4)
        nn.init.orthogonal_(self.head.weight, gain=0.5 * max(1.0, spec.vocabulary / spec.width) ** 0.5)

    def zero_state(self, batch: int, device: torch.device | None = None) -> State:
        return [block.zero_state(batch, device) for block in self.blocks]

    def forward(self, rows: Tensor, state: State) -> tuple[Tensor, State]:
        x = self.ln0(self.emb(rows))
        after: State = []
        for block, before in zip(self.blocks, state, strict=True):
            x, block_state = block(x, before)
            after.append(block_state)
        return self.head(self.ln_out(x)), after
