"""The clock of a station on the air."""

from __future__ import annotations

import asyncio
import time

from radio.types import Seconds


class WallClock:
    """A monotonic clock. A soak test makes it run fast, so that a day on the air takes an hour or two.

    Args:
        speed: seconds of this clock per real second.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed

    def now(self) -> Seconds:
        """Return monotonic seconds."""
        return time.monotonic() * self.speed

    async def sleep(self, seconds: Seconds) -> None:
        """Sleep for `seconds` of this clock."""
        await asyncio.sleep(seconds / self.speed)
