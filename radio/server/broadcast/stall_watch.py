"""Detection of a worker that has stopped: it owes audio and is silent."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radio.types import Seconds

STALL_LIMIT: Final[Seconds] = 1.5
"""Silence of a worker that owes audio and does not run, after which it counts as stopped."""

BUSY_LIMIT: Final[Seconds] = 10.0
"""The same for a worker that runs while the reserve is low: on a busy machine another one would be later still."""

LOW_RESERVE: Final[Seconds] = 5.0
"""With more audio in reserve than this, a worker that runs is left alone."""

_LONGEST_STEP: Final[Seconds] = 0.3


@dataclass(slots=True)
class StallWatch:
    """Measures for how long a worker has been silent although it owes audio.

    The time in which this process itself did not run does not count, since the worker's messages may be waiting.
    """

    now: Callable[[], float] = time.monotonic
    _silent: Seconds = 0.0
    _idle: Seconds = 0.0
    """Silence in which the worker did not run."""
    _processor_time: int | None = None
    _last: float | None = None

    @property
    def silence(self) -> Seconds:
        """For how long the worker has been silent."""
        return self._silent

    def reset(self) -> None:
        """Begin again: the worker has sent something."""
        self._silent = self._idle = 0.0

    def is_over(self, *, owes: bool, reserve: Seconds, processor_time: Callable[[], int | None]) -> bool:
        """Return True if the worker counts as stopped. Called on every tick.

        Args:
            owes: Whether audio was requested that is not rendered.
            reserve: Seconds of audio that are rendered but not released.
            processor_time: Returns a number that grows while the worker runs, or None if it is not known.
        """
        now = self.now()
        step = 0.0 if self._last is None else min(now - self._last, _LONGEST_STEP)
        self._last = now
        if not owes:
            self.reset()
            return False
        before, self._processor_time = self._processor_time, processor_time()
        self._silent += step
        self._idle = 0.0 if before != self._processor_time else self._idle + step
        return self._idle > STALL_LIMIT or (self._silent > BUSY_LIMIT and reserve < LOW_RESERVE)


def processor_time_of(pid: int | None) -> int | None:
    """Return the processor time that a process has had, in nanoseconds, or None if it is not known."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
