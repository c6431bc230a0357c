"""The base class of the numpy engines: embedding, head and the engine protocol around the blocks of a model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic

import numpy as np

from radio.model.engines.base import State, check_step, zero_state
from radio.model.engines.vectors import Array, Norm, layer_norm
from radio.model.spec.rwkv import SpecT, require_spec
from radio.model.weights.checkpoint import Checkpoint


class Arrays:
    """The arrays of a checkpoint under a name prefix."""

    def __init__(self, checkpoint: Checkpoint, prefix: str = "") -> None:
        self._weights, self._prefix = checkpoint.weights, prefix

    def __getitem__(self, name: str) -> Array:
        return self._weights[self._prefix + name]

    def norm(self, name: str) -> Norm:
        return self[f"{name}.weight"], self[f"{name}.bias"]


class NumpyEngineBase(ABC, Generic[SpecT]):
    """A float32 engine that steps one token at a time.

    An engine holds no stream state, so any number of streams can share it.

    spec_type: the architecture of a subclass.
    """

    spec_type: type[SpecT]
    first_norm: ClassVar[str] = "ln0"
    """Name of the norm between the embedding and the first block."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.tokens = checkpoint.tokens
        self.spec: SpecT = require_spec(checkpoint.spec, self.spec_type, "numpy")
        arrays = Arrays(checkpoint)
        # The input of this norm is always an embedding row, so apply it to the table once.
        self._embedding = layer_norm(arrays["emb.weight"], arrays.norm(self.first_norm))
        self._ln_out = arrays.norm("ln_out")
        self._head = arrays["head.weight"]

    def zero_state(self) -> State:
        return zero_state(self.spec)

    def step(self, rows: Sequence[int], state: State) -> tuple[Array, State]:
        check_step(self.spec, rows, [state], batch=False)
        x = self._embedding[rows[0]]
        for row in rows:
            x, state = self._advance(self._embedding[row], state)
        return self._head @ layer_norm(x, self._ln_out), state

    def step_batch(self, rows: Sequence[int], states: Sequence[State]) -> tuple[Array, list[State]]:
        check_step(self.spec, rows, states, batch=True)
        stepped = [self.step([row], state) for row, state in zip(rows, states, strict=True)]
        return np.stack([logits for logits, _ in stepped]), [state for _, state in stepped]

    @abstractmethod
    def _advance(self, x: Array, state: State) -> tuple[Array, State]:
        """Return the output of the blocks (C,) for an embedded token `x` (C,), and the new state."""
