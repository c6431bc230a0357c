"""A 1-D CNN: causal, dilated and gated. Each block carries its last inputs from window to window."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from radio.model.spec.baselines import CnnSpec
from train.networks.baselines.base import Baseline, Block


class Convolution(Block):
    """A gated convolution with two taps, `distance` tokens apart. Its state is its last inputs, (B, distance, C)."""

    def __init__(self, spec: CnnSpec, distance: int) -> None:
        super().__init__()
        self.width, self.distance = spec.width, distance
        self.ln = nn.LayerNorm(spec.width)
        self.taps = nn.Linear(2 * spec.width, 2 * spec.width)
        self.output = nn.Linear(spec.width, spec.width, bias=False)
        self.drop = nn.Dropout(spec.dropout)
        nn.init.zeros_(self.output.weight)

    def zero_state(self, batch: int, device: torch.device | None) -> tuple[Tensor, ...]:
        return (torch.zeros(batch, self.distance, self.width, device=device),)

    def forward(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        seen = self.ln(x)
        known = torch.cat([state[0], seen], dim=1)
        taps = torch.cat([known[:, : x.shape[1]], seen], dim=2)
        x = x + self.drop(self.output(functional.glu(self.taps(taps))))
        return x, (known[:, x.shape[1] :].clone(),)  # a slice would keep all of `known` in memory


class Cnn(Baseline):
    """A stack of convolutions that look 1, 2, 4 … tokens back."""

    def __init__(self, spec: CnnSpec) -> None:
        super().__init__(spec, (Convolution(spec, distance) for distance in spec.distances))
