"""Detection of a stalled worker, which owes audio and sends nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radio.types import Seconds

STALL_LIMIT: Final[Seconds] = 1.5
"""Silence after which a worker that owes audio and uses no processor time counts as stalled."""

BUSY_LIMIT: Final[Seconds] = 10.0
"""The same for a worker that runs while the reserve is low. On a busy machine, a new one would be even later."""

LOW_RESERVE: Final[Seconds] = 5.0
"""With more audio in reserve than this, a running worker is left alone."""

_LONGEST_STEP: Final[Seconds] = 0.3


@dataclass(slots=True)
class StallWatch:
    """A timer for the silence of a worker that owes audio.

    Time in which this process itself did not run does not count, since the worker's messages may be waiting.
    """

    now: Callable[[], float] = time.monotonic
    _silent: Seconds = 0.0
    _idle: Seconds = 0.0
    """Silence in which the worker did not run."""
    _processor_time: int | None = None
    _last: float | None = None

    @property
    def silence(self) -> Seconds:
        """The time for which the worker has been silent."""
        return self._silent

    def reset(self) -> None:
        """Start over, because the worker has sent something."""
        self._silent = self._idle = 0.0

    def is_over(self, *, owes: bool, reserve: Seconds, processor_time: Callable[[], int | None]) -> bool:
        """Return True if the worker counts as stalled. Called on every tick.

        Args:
            owes: Whether requested audio has not been rendered.
            reserve: Seconds of audio that are rendered but not released.
            processor_time: Returns a number that grows while the worker runs, or None if it is unknown.
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
    """Return the processor time that a process has used, in nanoseconds, or None if it is unknown."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
