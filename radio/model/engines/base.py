"""The engine protocol, and the state of a stream between steps."""

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
    """The state of one stream.

    A state is immutable: continuing from a saved state gives bit-identical results.

    memory: float32, in a shape that depends on the architecture.
    """

    memory: Array


@dataclass(frozen=True, slots=True)
class RwkvMemory:
    """The parts of an RWKV state: views of a `State.memory` of shape (L, C + C + H·N·N).

    att_shift, ffn_shift: (L, C), the latest inputs of time mix and channel mix.
    wkv: (L, H, N, N), the WKV matrices with the key axis before the value axis.
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
    """A model that can be stepped.

    tokens: the vocabulary id of each row of the model.
    """

    tokens: tuple[TokenId, ...]

    def zero_state(self) -> State: ...

    def step(self, rows: Sequence[int], state: State) -> tuple[Array, State]:
        """Feed one or more rows. Return the logits (V,) and the state after the last row."""

    def step_batch(self, rows: Sequence[int], states: Sequence[State]) -> tuple[Array, Sequence[State]]:
        """Feed one row to each of B independent streams. Return their logits (B, V) and states."""


def zero_state(spec: Spec) -> State:
    """Return the state before the first token."""
    return State(np.zeros(spec.state_shape, np.float32))


def check_step(spec: Spec, rows: Sequence[int], states: Sequence[State], *, batch: bool) -> None:
    """Raise ModelError if there are no rows, a row is out of range, or a state belongs to another model."""
    if not rows:
        raise ModelError("a step needs at least one token")
    if batch and len(rows) != len(states):
        raise ModelError(f"a batch needs a state for each token; got {len(rows)} tokens and {len(states)} states")
    for row in rows:
        if not 0 <= row < spec.vocabulary:
            raise ModelError(f"row {row} is out of range; the model has rows 0 to {spec.vocabulary - 1}")
    for state in states:
        if not spec.is_state(state.memory.shape):
            raise ModelError(f"a state of this model has shape {spec.state_shape}, not {state.memory.shape}")
