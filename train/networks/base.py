"""The interface of networks in training: a parallel form that maps a state to a new one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn

from radio.model.spec.rwkv import Spec

State: TypeAlias = list[tuple[Tensor, ...]]
"""The state of B lanes: for each layer a tuple of tensors whose first axis is the lanes. `Model.zero_state` is the
initial state."""


class Model(nn.Module, ABC):
    """A map from token rows (B, T) and a state to logits (B, T, V) and the next state.

    The logits of a sequence are the same whether it is read whole or in pieces with carried state. They equal those of
    the engine that steps the exported weights, which have the names of the parameters (`Spec.shapes`).
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec

    @abstractmethod
    def zero_state(self, batch: int, device: torch.device | None = None) -> State:
        """Return the state of `batch` lanes before their first token."""

    @abstractmethod
    def forward(self, rows: Tensor, state: State) -> tuple[Tensor, State]:
        """Return logits (B, T, V) and the state after the tokens."""


def detach(state: State) -> State:
    """Return the state without gradients, so that none flows into the previous window."""
    return [tuple(tensor.detach() for tensor in layer) for layer in state]


def join_lanes(states: Sequence[State]) -> State:
    """Join the lanes of all `states`."""
    return [tuple(torch.cat(tensors) for tensors in zip(*layers, strict=True)) for layers in zip(*states, strict=True)]


def lanes_of(state: State, first: int, count: int) -> State:
    """Return `count` lanes of a state, starting at `first`."""
    return [tuple(tensor[first : first + count] for tensor in layer) for layer in state]


def with_fresh(state: State, zero: Sequence[tuple[Tensor, ...]], fresh: Tensor) -> State:
    """Return `state` on the device of `zero`, with the lanes where `fresh` (B,) is True taken from `zero`."""
    return [
        tuple(
            torch.where(fresh.to(start.device).view(-1, *[1] * (start.ndim - 1)), start, carried.to(start.device))
            for carried, start in zip(layer, before, strict=True)
        )
        for layer, before in zip(state, zero, strict=True)
    ]
