"""States that grow by one row per token, stored as views of shared buffers so that a step copies nothing.

A state is immutable, so the row after it may be written only if that row of the buffer is still unused. The first step
from a state writes there. A second step from the same state finds the row in use and continues in a new buffer.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import numpy as np

from radio.model.engines.base import State
from radio.model.engines.vectors import Array

_CAPACITY_FACTOR = 2
"""Rows of a buffer per row of a full state. With 2, a stream copies its rows once per `max_rows` steps."""


class _Buffer:
    """An array of rows; the first `used` rows belong to states."""

    def __init__(self, initial: Array, capacity: int) -> None:
        self.rows: Array = np.empty((capacity, initial.shape[1]), np.float32)
        self.rows[: len(initial)] = initial
        self.used = len(initial)
        self._lock = Lock()

    def claim(self, index: int) -> bool:
        """Claim row `index` for a new state. Return False if it is in use or beyond the end of the buffer."""
        with self._lock:
            free = self.used == index < len(self.rows)
            self.used += free
            return free


@dataclass(frozen=True, slots=True)
class BufferedState(State):
    """A state whose memory (n, columns) is a view of `buffer` that ends before row `end`.

    Copying or pickling it gives a plain `State`.
    """

    buffer: _Buffer
    end: int

    def __reduce__(self) -> tuple[type[State], tuple[Array]]:
        return State, (self.memory.copy(),)


def append_row(state: State, max_rows: int) -> tuple[BufferedState, Array]:
    """Return `state` with one more row, limited to the newest `max_rows`, and the new row for the caller to fill."""
    rows = state.memory[max(0, len(state.memory) + 1 - max_rows) :]
    if isinstance(state, BufferedState) and state.buffer.claim(state.end):
        buffer, index = state.buffer, state.end
    else:
        buffer, index = _Buffer(rows, _CAPACITY_FACTOR * max_rows), len(rows)
        buffer.claim(index)
    memory = buffer.rows[index - len(rows) : index + 1]
    memory.flags.writeable = False
    return BufferedState(memory, buffer, index + 1), buffer.rows[index]
