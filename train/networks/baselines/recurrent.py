"""Simple RNN, GRU and LSTM, one cell per block."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from radio.model.spec.baselines import GruSpec, LstmSpec, RecurrentSpec, RnnSpec
from train.networks.baselines.base import Baseline, Block
from train.networks.baselines.scan import GruScan, RnnScan


class Recurrent(Block):
    """A norm and a cell. Its state is `vectors` of (B, C): the hidden vector, and for the LSTM the cell.

    The cell is computed in float32, since rounding would add up over the whole past.
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
        """Map inputs (B, T, C) and the state to outputs and the new state."""


class RnnBlock(Recurrent):
    """A simple RNN; the loop gets the sum of its two biases."""

    def cell(self, seen: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        gate_inputs = self.input(seen.transpose(0, 1)).float() + self.recurrent.bias
        out: Tensor = RnnScan.apply(gate_inputs, self.recurrent.weight, state[0])  # type: ignore[no-untyped-call]
        return out.transpose(0, 1), (out[-1],)


class GruBlock(Recurrent):
    """A GRU with gates in the order reset, update, new."""

    def cell(self, seen: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        gate_inputs = self.input(seen.transpose(0, 1)).float()
        out: Tensor = GruScan.apply(gate_inputs, self.recurrent.weight, self.recurrent.bias, state[0])  # type: ignore[no-untyped-call]
        return out.transpose(0, 1), (out[-1],)


class LstmBlock(Recurrent):
    """An LSTM with gates in the order input, forget, cell, output."""

    def cell(self, seen: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        weights = [self.input.weight, self.recurrent.weight, self.input.bias, self.recurrent.bias]
        with torch.autocast(seen.device.type, enabled=False):
            out, *after = torch.lstm(
                seen.float(), [tensor[None] for tensor in state], weights,
                has_biases=True, num_layers=1, dropout=0.0, train=self.training, bidirectional=False, batch_first=True,
            )  # fmt: skip
        return out, tuple(tensor[0] for tensor in after)


class Rnn(Baseline):
    """A stack of simple RNNs on the residual stream."""

    def __init__(self, spec: RnnSpec) -> None:
        super().__init__(spec, (RnnBlock(spec) for _ in range(spec.layers)))


class Gru(Baseline):
    """A stack of GRUs on the residual stream."""

    def __init__(self, spec: GruSpec) -> None:
        super().__init__(spec, (GruBlock(spec) for _ in range(spec.layers)))


class Lstm(Baseline):
    """A stack of LSTMs on the residual stream."""

    def __init__(self, spec: LstmSpec) -> None:
        super().__init__(spec, (LstmBlock(spec) for _ in range(spec.layers)))
