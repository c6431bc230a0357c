"""Simple RNN, GRU and LSTM: a cell a block."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from radio.model.spec.baselines import GruSpec, LstmSpec, RecurrentSpec, RnnSpec
from train.networks.baselines.base import Baseline, Block
from train.networks.baselines.scan import GruScan, RnnScan


class Recurrent(Block):
    """Norm and cell. Remembers `vectors` of (B, C): hidden, and for the LSTM the cell's content.

    The cell counts in float32 whatever the products around it do: rounding would add up over the whole past.
    """

    def __init__(self, spec: RecurrentSpec) -> None:
        super().__init__()
        self.spec = spec
        rows = spec.gates * spec.width
        self.ln = nn.LayerNorm(spec.width)
        self.input = nn.Linear(spec.width, rows)
        self.recurrent = nn.Linear(spec.width, rows)
        self.drop = nn.Dropout(spec.dropout)
        for gate in torch.split(self.recurrent.weight.detach(), spec.width):
            nn.init.orthogonal_(gate)

    def zero_state(self, batch: int, device: torch.device | None) -> tuple[Tensor, ...]:
        return tuple(torch.zeros(batch, self.spec.width, device=device) for _ in range(self.spec.vectors))

    def forward(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        out, after = self.cell(self.ln(x), state)
        return x + self.drop(out), after

    @abstractmethod
    def cell(self, seen: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Inputs (B, T, C) and vectors → outputs and vectors."""


class RnnBlock(Recurrent):
    """Its two biases are one to the loop."""

    def cell(self, seen: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        given = self.input(seen.transpose(0, 1)).float() + self.recurrent.bias
        out: Tensor = RnnScan.apply(given, self.recurrent.weight, state[0])  # type: ignore[no-untyped-call]
        return out.transpose(0, 1), (out[-1],)


class GruBlock(Recurrent):
    """Gates in the order reset, update, new."""

    def cell(self, seen: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        given = self.input(seen.transpose(0, 1)).float()
        out: Tensor = GruScan.apply(given, self.recurrent.weight, self.recurrent.bias, state[0])  # type: ignore[no-untyped-call]
        return out.transpose(0, 1), (out[-1],)


class LstmBlock(Recurrent):
    """Gates in the order input, forget, cell, output."""

    def cell(self, seen: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        weights = [self.input.weight, self.recurrent.weight, self.input.bias, self.recurrent.bias]
        with torch.autocast(seen.device.type, enabled=False):
            out, *after = torch.lstm(
                seen.float(), [tensor[None] for tensor in state], weights,
                has_biases=True, num_layers=1, dropout=0.0, train=self.training, bidirectional=False, batch_first=True,
            )  # fmt: skip
        return out, tuple(tensor[0] for tensor in after)


class Rnn(Baseline):
    """A stack of simple cells, each beside the stream that it adds to."""

    def __init__(self, spec: RnnSpec) -> None:
        super().__init__(spec, (RnnBlock(spec) for _ in range(spec.layers)))


class Gru(Baseline):
    """A stack of gated cells."""

    def __init__(self, spec: GruSpec) -> None:
        super().__init__(spec, (GruBlock(spec) for _ in range(spec.layers)))


class Lstm(Baseline):
    """A stack of cells with a memory of their own."""

    def __init__(self, spec: LstmSpec) -> None:
        super().__init__(spec, (LstmBlock(spec) for _ in range(spec.layers)))
