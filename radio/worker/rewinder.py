"""Going back with a station that has rendered ahead, so that a change of it is heard soon."""

from __future__ import annotations

from typing import Final

from radio.station.protocol import ResumableStation
from radio.station.resume import Resume
from radio.types import MIX_BLOCK, SAMPLE_RATE, Frames

STEP: Frames = 3_840
"""Frames rendered between two polls of the socket: one Ogg page, 80 ms."""

SPACING: Final[Frames] = 2 * SAMPLE_RATE
"""Distance of the places to which the station can return; one takes half a megabyte."""

REACH: Final[Frames] = SAMPLE_RATE // 4
"""A station whose next frame is at most this far beyond the fixed audio is changed where it is."""

REST: Final[Frames] = SAMPLE_RATE // 2
"""Audio on the air between two rewinds. Changes in quick succession wait, and then come together."""

ATTEMPTS: Final = 3
"""Times that a station is too late before it is changed at the end of its audio: the machine is too busy."""


class Rewinder:
    """Takes a station back to the first frame that is not fixed.

    The station returns to a mark, and discards what it renders from there up to that frame.

    Args:
        station: The station.
        resume: How it goes on with the piece of another worker.
    """

    def __init__(self, station: ResumableStation, resume: Resume | None) -> None:
        self.under_way = False
        """True while the station goes back."""
        self._station = station
        self._first: Frames = 0 if resume is None else resume.sound_from
        """The first frame that the station may go back to."""
        changes = [] if resume is None else [entry.frame for entry in resume.log if not entry.level]
        self._changed: Frames = max(changes, default=-1)
        """The last frame at which a change of the log comes again: no other change may come before it."""
        self._rests_until: Frames = 0
        self._goal: Frames = 0
        self._end: Frames = 0
        """The position before the rewind. The server has all the audio up to there, until it agrees to a cut."""
        self._attempts = 0
        self._next_mark: Frames = station.position

    def mark(self, fixed: Frames) -> None:
        """Keep the place of the station if it is time for that, and forget what no rewind needs."""
        if self._station.position >= self._next_mark:
            self._next_mark = self._station.position + SPACING
            self._station.mark()
            self._station.forget(max(fixed, self._first))

    @property
    def has_caught_up(self) -> bool:
        """True once the changes of the log have come again."""
        return self._station.mixed > self._changed

    def is_near(self, fixed: Frames) -> bool:
        """Return True if the station can be changed where it is."""
        return self._station.position <= max(fixed, self._first) + REACH and self.has_caught_up

    def rests(self, fixed: Frames) -> bool:
        """Return True where a rewind has to wait: shortly after another one, and until the log has come again."""
        return fixed < self._rests_until or not self.has_caught_up

    def begin(self, fixed: Frames) -> bool:
        """Go back. Return False if that is not possible, and the station can be changed only where it is."""
        self._end, self._attempts = self._station.position, 1
        self._goal = min(max(fixed, self._first), self._end)
        self.under_way = self._station.rewind(self._goal)
        return self.under_way

    def begin_again(self, fixed: Frames) -> None:
        """Go back to a later frame, as the server has not agreed; after some attempts to the end of what it has."""
        self._attempts += 1
        self._goal = min(max(fixed, self._first), self._end) if self._attempts < ATTEMPTS else self._end
        self.under_way = self._station.rewind(self._goal)

    def advance(self) -> bool:
        """Render and discard a little. Return True once the station is where it can be changed."""
        missing = self._goal - self._station.position
        self.under_way = missing > 0 or not self.has_caught_up
        if self.under_way:
            rest = max(1, self._end - self._station.position)
            self._station.render(min(STEP, missing) if missing > 0 else min(MIX_BLOCK, rest))
            self._station.events()
        return not self.under_way

    def settle(self, fixed: Frames) -> None:
        """Let the station go on from its change: the server has agreed."""
        self._station.settle()
        self._rests_until = fixed + REST
        self._next_mark = self._station.position
