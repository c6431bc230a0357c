"""Waits between attempts, and detection of stalled connections. Pure: time and randomness are arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from radio.types import Seconds

MIN_WAIT: Final[Seconds] = 0.5
MAX_WAIT: Final[Seconds] = 60.0
_JITTER: Final = 0.2
"""Random share of a wait, so that many radios do not reconnect at the same time."""

STABLE_AFTER: Final[Seconds] = 60.0
"""Uptime after which a failure no longer counts towards longer waits."""

STALL_TIMEOUT: Final[Seconds] = 10.0
"""Longest time without an acknowledged byte while there is something to send."""


class BackOff:
    """Exponential waits from 0.5 s to 60 s, each shortened at random by up to a fifth.

    Args:
        random: Returns a number in [0, 1).
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._next = MIN_WAIT

    def next_wait(self, uptime: Seconds) -> Seconds:
        """Return the wait after a failed attempt that lasted `uptime`."""
        if uptime >= STABLE_AFTER:
            self._next = MIN_WAIT
        wait, self._next = self._next, min(2 * self._next, MAX_WAIT)
        return wait * (1 - _JITTER * self._random())


class StallDetector:
    """A detector of connections that accept input but deliver nothing.

    A restarting station has nothing to send, which is not a stall: the time is measured from the first input after the
    last acknowledged byte.
    """

    def __init__(self) -> None:
        self._acknowledged = 0
        self._waiting_since: Seconds | None = None

    def on_input(self, now: Seconds) -> None:
        """Record that there is something to send."""
        if self._waiting_since is None:
            self._waiting_since = now

    def on_acknowledged(self, total: int) -> None:
        """Record the total number of acknowledged bytes."""
        if total > self._acknowledged:
            self._acknowledged = total
            self._waiting_since = None

    def is_stalled(self, now: Seconds) -> bool:
        """Return True if input has been waiting for longer than `STALL_TIMEOUT`."""
        return self._waiting_since is not None and now - self._waiting_since > STALL_TIMEOUT
