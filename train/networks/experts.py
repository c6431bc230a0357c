"""RWKV-6 with experts in the channel mix, in its parallel form, for training.

Source: Fedus et al., "Switch Transformers", arXiv 2101.03961, section 2.2: a token's values are those of the chosen
experts times the router's probability of each, and a loss balances the load of the experts. Unlike in the paper, an
expert computes every token that chooses it: a step on the air has no batch whose capacity it could share.
Shapes: B batch, T tokens, C width, E experts, A active experts.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from radio.model.spec.experts import ExpertsSpec
from train.networks.rwkv6 import Rwkv6Network, initial_shares
from train.operators.elementwise import sigmoid_gate, squared_relu, token_shift


class ExpertMatrices(nn.Module):
    """A matrix (rows, columns) for each of E experts."""

    def __init__(self, experts: int, rows: int, columns: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(experts, rows, columns))

    def forward(self, x: Tensor, expert: int) -> Tensor:
        """Map inputs (N, columns) to outputs (N, rows) of one expert."""
        return functional.linear(x, self.weight[expert])


class ExpertMix(nn.Module):
    """Channel mix whose router chooses the experts of each token.

    imbalance: E · Σ f·p over the experts of the tokens of the last forward pass, where f is an expert's share of the
        choices, and p its mean probability: 1 if all have the same, and up to E if one has all.
    """

    imbalance: Tensor

    def __init__(self, spec: ExpertsSpec, layer: int) -> None:
        super().__init__()
        self.active = spec.active
        self.time_maa_k = initial_shares(spec, layer)
        self.time_maa_r = initial_shares(spec, layer)
        self.key = ExpertMatrices(spec.experts, spec.hidden, spec.width)
        self.receptance = nn.Linear(spec.width, spec.width, bias=False)
        self.value = ExpertMatrices(spec.experts, spec.width, spec.hidden)
        self.router = nn.Parameter(torch.empty(spec.experts, spec.width))
        for matrix in self.key.weight:
            nn.init.orthogonal_(matrix)
        nn.init.zeros_(self.receptance.weight)
        nn.init.normal_(self.router, std=(0.1 / spec.width) ** 0.5)  # the paper's section 2.4

    def forward(self, x: Tensor, last: Tensor) -> Tensor:
        maa = torch.cat([self.time_maa_k, self.time_maa_r])
        xk, xr = token_shift(x, last, maa.view(2, -1))
        return sigmoid_gate(self.receptance(xr), self._values(xk.flatten(0, 1)).view_as(xk))

    def _values(self, x: Tensor) -> Tensor:
        """Map inputs (N, C) to the values of their experts (N, C), and store the imbalance."""
        with torch.autocast(x.device.type, enabled=False):  # choices are made in float32, as on air
            shares = (x.float() @ self.router.T).softmax(-1)  # (N, E)
        chosen = shares.topk(self.active).indices  # (N, A)
        experts = len(self.router)
        choices = functional.one_hot(chosen, experts).sum(1).float()  # (N, E)
        self.imbalance = experts / self.active * (choices.mean(0) * shares.mean(0)).sum()
        values = torch.zeros_like(x)
        for expert in range(experts):
            (tokens,) = torch.where(choices[:, expert] > 0)
            outputs = self.value(squared_relu(self.key(x[tokens], expert)), expert)
            values = values.index_add(0, tokens, (outputs * shares[tokens, expert, None]).to(values.dtype))
        return values


class Rwkv6Experts(Rwkv6Network):
    """RWKV-6 with experts."""

    def __init__(self, spec: ExpertsSpec) -> None:
        super().__init__(spec, lambda layer: ExpertMix(spec, layer))

    def imbalance(self) -> Tensor:
        """Return the mean imbalance of the layers in the last forward pass: 1 means balanced."""
        mixes = [module for module in self.modules() if isinstance(module, ExpertMix)]
        return torch.stack([mix.imbalance for mix in mixes]).mean()
