"""Detection of a worker that has stopped: it owes audio, is silent, and the reserve runs low."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from radio.types import Seconds

STALL_LIMIT: Final[Seconds] = 1.5
"""Silence of a worker that owes audio, after which it counts as stopped."""

LOW_RESERVE: Final[Seconds] = 2.0
"""With more audio in reserve than this, a late worker does no harm and is left alone."""

_LONGEST_STEP: Final[Seconds] = 0.3


@dataclass(slots=True)
class StallWatch:
    """Measures for how long a worker has been silent although it owes audio.

    The time in which this process itself did not run does not count, since the worker's messages may be waiting.
    """

    now: Callable[[], float] = time.monotonic
    _silent: Seconds = 0.0
    _last: float | None = None

    def reset(self) -> None:
        """Begin again: the worker has sent something."""
        self._silent = 0.0

    def is_over(self, *, owes: bool, reserve: Seconds) -> bool:
        """Return True if the worker counts as stopped. Called on every tick.

        Args:
            owes: Whether audio was requested that is not rendered.
            reserve: Seconds of audio that are rendered but not released.
        """
        now = self.now()
        step = 0.0 if self._last is None else min(now - self._last, _LONGEST_STEP)
        self._last = now
        self._silent = self._silent + step if owes else 0.0
        return self._silent > STALL_LIMIT and reserve < LOW_RESERVE
