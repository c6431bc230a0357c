"""Simple RNN, GRU and LSTM: a cell a block, from torch's own loops over time."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from radio.model.baselines.spec import GruSpec, LstmSpec, RecurrentSpec, RnnSpec
from train.baselines.frame import Baseline, Block


class Recurrent(Block):
    """Norm and cell. Remembers `vectors` of (B, C): hidden, and for the LSTM the cell's content."""

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
        with torch.autocast(x.device.type, enabled=False):  # rounding would add up over the whole past: float32
            out, *after = self.cell(self.ln(x).float(), [tensor[None] for tensor in state])
        return x + self.drop(out), tuple(tensor[0] for tensor in after)

    def cell(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, ...]:
        """Inputs (B, T, C) and vectors (1, B, C) → outputs and vectors."""
        weights = [self.input.weight, self.recurrent.weight, self.input.bias, self.recurrent.bias]
        settings = {
            "has_biases": True, "num_layers": 1, "dropout": 0.0, "train": self.training, "bidirectional": False,
            "batch_first": True,
        }  # fmt: skip
        run = {RnnSpec: torch.rnn_tanh, GruSpec: torch.gru, LstmSpec: torch.lstm}[type(self.spec)]
        given = state if len(state) > 1 else state[0]
        return cast("tuple[Tensor, ...]", run(x, given, weights, **settings))  # type: ignore[operator]


class RecurrentNetwork(Baseline):
    """A stack of cells, each beside the stream that it adds to."""

    def __init__(self, spec: RecurrentSpec) -> None:
        super().__init__(spec, (Recurrent(spec) for _ in range(spec.layers)))
