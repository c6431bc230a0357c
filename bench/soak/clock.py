"""A clock that runs as fast as the radio can follow, shared by its processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import numpy as np

from radio.stream.relay.wall_clock import WallClock
from radio.types import Seconds

LOW: Final[Seconds] = 5.0
"""With this reserve or less, the clock runs at `SLOWEST`."""

HIGH: Final[Seconds] = 12.0
"""With this reserve or more, it runs at full speed."""

SLOWEST: Final = 0.02
"""Lowest share of the full speed. The clock never stops, or a station would not ask for more audio."""

INTERVAL: Final[Seconds] = 0.1
"""Real time between two changes of the speed."""


class SharedClock(WallClock):
    """A clock shared through a file: one process changes its speed, and the others follow.

    Args:
        path: The file; it is created if it does not exist.
        speed: Maximum seconds of this clock per real second.
    """

    def __init__(self, path: Path, speed: float) -> None:
        super().__init__(speed)
        if not path.exists():
            np.array([0.0, time.monotonic(), 0.0, 1.0]).tofile(path)
        # A counter that is odd during a change; real and shared time at the last change; the speed since.
        self._shared = np.memmap(path, np.float64, "r+", shape=(4,))

    def now(self) -> Seconds:
        """Return the seconds since the clock was created."""
        while True:
            count, real, shared, speed = self._shared.tolist()
            now = shared + (time.monotonic() - real) * speed
            if count % 2 == 0 and count == self._shared[0]:
                return float(now)

    async def sleep(self, seconds: Seconds) -> None:
        """Sleep for `seconds` of this clock."""
        end, left = self.now() + seconds, seconds
        while left > 0:
            await asyncio.sleep(left / self.speed)
            left = end - self.now()

    def set_speed(self, speed: float) -> None:
        """Change the speed. Only one process may do so."""
        now, real = self.now(), time.monotonic()
        self._shared[0] += 1
        self._shared[1:] = real, now, speed
        self._shared[0] += 1

    async def follow(self, reserves: Callable[[], Iterable[Seconds]]) -> None:
        """Slow down while the smallest reserve is low, until canceled."""
        while True:
            least = min(reserves(), default=HIGH)
            share = min(max((least - LOW) / (HIGH - LOW), SLOWEST), 1.0)
            self.set_speed(self.speed * share)
            await asyncio.sleep(INTERVAL)
