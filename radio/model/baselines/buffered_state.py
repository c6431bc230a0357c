"""States that grow by a row a token without being copied: views of a buffer that only whoever comes first writes on.

A state is a value: it never changes, and keeping it is a save. So a row can be written behind a state only where
nothing is yet. The first step on from a state writes there; a second step on from the same state finds the place taken
and continues in a buffer of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import numpy as np

from radio.model.engines.base import State
from radio.model.engines.vectors import Array

_ROOM = 2
"""Rows of a buffer, in times those that a state keeps: so often it is copied in that many steps, about once."""


class _Buffer:
    """Rows, of which the first `taken` belong to some state."""

    def __init__(self, kept: Array, rows: int) -> None:
        self.rows: Array = np.empty((rows, kept.shape[1]), np.float32)
        self.rows[: len(kept)] = kept
        self.taken = len(kept)
        self._lock = Lock()

    def take(self, place: int) -> bool:
        """Claim row `place`; false where another did before, or where the buffer ends."""
        with self._lock:
            free = self.taken == place < len(self.rows)
            self.taken += free
            return free


@dataclass(frozen=True, slots=True)
class BufferedState(State):
    """A state whose memory (n, columns) is the rows of `buffer` before `end`. Copied or pickled it is its memory."""

    buffer: _Buffer
    end: int

    def __reduce__(self) -> tuple[type[State], tuple[Array]]:
        return State, (self.memory.copy(),)


def append_row(state: State, keep: int) -> tuple[BufferedState, Array]:
    """`state` and a row more, of at most `keep` rows the newest; and that row, for the caller to fill."""
    kept = state.memory[max(0, len(state.memory) + 1 - keep) :]
    if isinstance(state, BufferedState) and state.buffer.take(state.end):
        buffer, place = state.buffer, state.end
    else:
        buffer, place = _Buffer(kept, _ROOM * keep), len(kept)
        buffer.take(place)
    memory = buffer.rows[place - len(kept) : place + 1]
    memory.flags.writeable = False
    return BufferedState(memory, buffer, place + 1), buffer.rows[place]
