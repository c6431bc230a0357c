"""Stepping a model: the protocol that every engine follows, and what a model remembers between two steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from radio.errors import ModelError
from radio.model.spec.rwkv import HEAD_SIZE, Spec
from radio.types import TokenId

Array: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class State:
    """All that a model remembers of one stream: one array of float32, in the shape that its architecture gives it.

    Never changed in place: a state that was kept is a save, and going on from it is bit-identical.
    """

    memory: Array


@dataclass(frozen=True, slots=True)
class RwkvMemory:
    """What RWKV remembers, views of a `State.memory` of shape (L, C + C + H·N·N).

    att_shift, ffn_shift: (L, C), the inputs that time mix and channel mix saw last. wkv: (L, H, N, N), WKV's matrices,
    key axis before value axis.
    """

    att_shift: Array
    ffn_shift: Array
    wkv: Array

    @classmethod
    def of(cls, memory: Array) -> RwkvMemory:
        layers, columns = memory.shape
        width = columns // (2 + HEAD_SIZE)
        return cls(
            memory[:, :width],
            memory[:, width : 2 * width],
            memory[:, 2 * width :].reshape(layers, -1, HEAD_SIZE, HEAD_SIZE),
        )


class Engine(Protocol):
    """A model that can be stepped. `tokens` are the vocabulary ids of its rows, in order."""

    tokens: tuple[TokenId, ...]

    def zero_state(self) -> State: ...

    def step(self, rows: Sequence[int], state: State) -> tuple[Array, State]:
        """Feed one or more rows; returns the logits (V,) after the last, and the state after it."""

    def step_batch(self, rows: Sequence[int], states: Sequence[State]) -> tuple[Array, Sequence[State]]:
        """Feed each of B streams a row; returns their logits (B, V) and states. A stream does not see the others."""


def zero_state(spec: Spec) -> State:
    """What a model remembers before its first token."""
    return State(np.zeros(spec.state_shape, np.float32))


def check_step(spec: Spec, rows: Sequence[int], states: Sequence[State], *, batch: bool) -> None:
    """Raises ModelError where there is no row, a row is not the model's, or a state is another model's."""
    if not rows:
        raise ModelError("a step needs at least one token")
    if batch and len(rows) != len(states):
        raise ModelError(f"a batch needs a state for each token: {len(rows)} and {len(states)}")
    for row in rows:
        if not 0 <= row < spec.vocabulary:
            raise ModelError(f"row {row} is not one of the model's {spec.vocabulary}")
    for state in states:
        if not spec.is_state(state.memory.shape):
            raise ModelError(f"a state of this model has shape {spec.state_shape}, not {state.memory.shape}")
