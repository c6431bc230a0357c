"""When to try again, and when to give up waiting: pure, for the clock and the dice come from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from radio.types import Seconds

MIN_WAIT: Final[Seconds] = 0.5
MAX_WAIT: Final[Seconds] = 60.0
_JITTER: Final = 0.2
"""Share of a wait that is left to chance, so that many radios do not come back at once."""

STABLE_AFTER: Final[Seconds] = 60.0
"""A push that lived this long was well: its next failure is a new one."""

STALL_TIMEOUT: Final[Seconds] = 10.0
"""What owes bytes and has none acknowledged for this long is replaced."""


class BackOff:
    """Waits of 0.5 s, then each twice as long as the last, up to 60 s, every one up to a fifth shorter.

    Args:
        chance: Gives a number from 0 up to 1.
    """

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._next = MIN_WAIT

    def failed(self, lived: Seconds) -> Seconds:
        """How long to wait after an attempt that was up for `lived`."""
        if lived >= STABLE_AFTER:
            self._next = MIN_WAIT
        wait, self._next = self._next, min(2 * self._next, MAX_WAIT)
        return wait * (1 - _JITTER * self._chance())


class Progress:
    """Watches that what goes in comes out at the other end.

    Time alone proves nothing: a station that is being restarted gives nothing to send. So the watch runs from the first
    input after the last output.
    """

    def __init__(self) -> None:
        self._out = 0
        self._owed_since: Seconds | None = None

    def put_in(self, at: Seconds) -> None:
        """Something is to be sent."""
        if self._owed_since is None:
            self._owed_since = at

    def came_out(self, total: int) -> None:
        """So many bytes have been acknowledged by now, in all."""
        if total > self._out:
            self._out = total
            self._owed_since = None

    def stalled(self, at: Seconds) -> bool:
        """Whether output is owed for longer than `STALL_TIMEOUT`."""
        return self._owed_since is not None and at - self._owed_since > STALL_TIMEOUT
