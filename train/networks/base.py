"""What training asks of a model, whatever its architecture: a parallel form that takes a state and leaves one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn

from radio.model.spec.rwkv import Spec

State: TypeAlias = list[tuple[Tensor, ...]]
"""What a model remembers of B lanes: a tuple of tensors a layer, each with the lanes as its first axis. Zeros all
through, or what `Model.zero_state` says, is to remember nothing."""


class Model(nn.Module, ABC):
    """Token rows (B, T) and a state → logits (B, T, V) and the state after them.

    Read whole or in pieces, with the state handed on, the logits are the same; and they are those of the engine that
    steps the exported weights, whose arrays bear the parameters' names (`Spec.shapes`).
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec

    @abstractmethod
    def zero_state(self, batch: int, device: torch.device | None = None) -> State:
        """What `batch` lanes remember before their first token."""

    @abstractmethod
    def forward(self, rows: Tensor, state: State) -> tuple[Tensor, State]: ...


def detached(state: State) -> State:
    """The state as a value: no gradient flows into the window before."""
    return [tuple(tensor.detach() for tensor in layer) for layer in state]


def joined(states: Sequence[State]) -> State:
    """The lanes of all `states`, one after another."""
    return [tuple(torch.cat(tensors) for tensors in zip(*layers, strict=True)) for layers in zip(*states, strict=True)]


def lanes_of(state: State, first: int, count: int) -> State:
    """`count` of a state's lanes, from `first` on."""
    return [tuple(tensor[first : first + count] for tensor in layer) for layer in state]


def with_fresh(state: State, zero: Sequence[tuple[Tensor, ...]], fresh: Tensor) -> State:
    """`state`, on the device of `zero`; lanes where `fresh` (B,) is true remember what `zero` does."""
    return [
        tuple(
            torch.where(fresh.to(start.device).view(-1, *[1] * (start.ndim - 1)), start, kept.to(start.device))
            for kept, start in zip(layer, before, strict=True)
        )
        for layer, before in zip(state, zero, strict=True)
    ]
