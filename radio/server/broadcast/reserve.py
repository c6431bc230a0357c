"""The reserve of a station: audio that is rendered before the live edge needs it, and that a change can replace."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from radio.stream.relay.relay import ADVANCE_INTERVAL
from radio.types import SAMPLE_RATE, Frames, Seconds
from radio.worker.pcm_ring import RESERVE

FIRST: Final[Seconds] = 3.0
"""Reserve that is rendered as fast as possible."""

FILLING: Final = 3.0
"""Speed at which the rest is rendered, in multiples of real time, so that other stations get processor time, too."""

LOW: Final[Seconds] = 5.0
"""A reserve that stays smaller than this is logged."""

LASTING: Final[Seconds] = 10.0
"""Time for which it must stay smaller. A change discards the reserve, and most of it is back after a few seconds."""

ARRIVAL: Final[Seconds] = 0.1
"""Shortest distance from the live edge to audio that is replaced: the time in which the new audio arrives."""

_LEAST: Final[Seconds] = 0.25
_MOST: Final[Seconds] = 8.0
_LATEST: Final[Seconds] = 2.0
"""Longest time allowed for new audio to arrive. It may be that the worker has died, or that the machine slept."""
_EASE: Final = 0.8


def render_until(live: Frames, end: Frames) -> Frames:
    """Return the frame up to which a worker should render, given the live edge and the end of the rendered audio."""
    step = end + round(FILLING * ADVANCE_INTERVAL * SAMPLE_RATE)
    return min(live + round(RESERVE * SAMPLE_RATE), max(live + round(FIRST * SAMPLE_RATE), step))


@dataclass(slots=True)
class Lead:
    """Time from the live edge to the first audio that a change may replace.

    It is a quarter longer than workers recently took to prepare new audio, plus the time in which it arrives.
    """

    seconds: Seconds = _LEAST
    arrival: Seconds = ARRIVAL
    """A quarter longer than new audio recently took to arrive, from the cut to the first packets."""
    _cut_at: float | None = None

    @property
    def frames(self) -> Frames:
        return round(self.seconds * SAMPLE_RATE)

    def observe(self, left: Seconds) -> None:
        """Record that new audio was ready `left` seconds before the live edge reached it."""
        took = self.seconds - left
        self.seconds = min(max(1.25 * took + self.arrival, _EASE * self.seconds, _LEAST), _MOST)

    def cut(self, now: float) -> None:
        """Record that old audio was dropped, at a monotonic time."""
        self._cut_at = now

    def arrive(self, now: float) -> None:
        """Record that the worker sent audio, at a monotonic time."""
        if self._cut_at is not None:
            self.arrival = min(max(1.25 * (now - self._cut_at), _EASE * self.arrival, ARRIVAL), _LATEST)
            self._cut_at = None


@dataclass(slots=True)
class ReserveWatch:
    """A detector of a reserve that stays small. It reports this once, and again when the reserve is back."""

    now: Callable[[], float] = time.monotonic
    low: bool = False
    _since: float | None = None

    def changed(self, reserve: Seconds) -> bool:
        """Return True if the reserve has become low or is back. Called on every tick."""
        if reserve >= LOW:
            self._since = None
            before, self.low = self.low, self.low and reserve < 2 * LOW
            return before and not self.low
        if self._since is None:
            self._since = self.now()
        if self.low or self.now() - self._since < LASTING:
            return False
        self.low = True
        return True
