"""Rewinding a station that has rendered ahead, so that a change is heard soon."""

from __future__ import annotations

from typing import Final

from radio.station.protocol import ResumableStation
from radio.station.resume import Resume
from radio.types import MIX_BLOCK, SAMPLE_RATE, Frames

STEP: Frames = 3_840
"""Frames rendered between polls of the socket: one Ogg page, 80 ms."""

SPACING: Final[Frames] = 2 * SAMPLE_RATE
"""Distance between the marks to which the station can return; each takes half a megabyte."""

REACH: Final[Frames] = SAMPLE_RATE // 4
"""A station whose next frame is at most this far beyond the fixed audio is changed without a rewind."""

REST: Final[Frames] = SAMPLE_RATE // 2
"""Minimum amount of audio released between rewinds. Changes in quick succession wait and are then made together."""

BACKOFF: Final[Frames] = SAMPLE_RATE // 2
"""Distance by which the second attempt at a rewind aims beyond the fixed audio; it doubles with each attempt.

A change at the end of the reserve would be safe, but later changes could not be heard before it.
"""


class Rewinder:
    """A controller that takes a station back to the first frame that is not fixed.

    The station returns to a mark, renders from there up to that frame, and discards the result.

    Args:
        station: The station.
        resume: The place from which it continues the piece of another worker, if any.
    """

    def __init__(self, station: ResumableStation, resume: Resume | None) -> None:
        self.under_way = False
        """True while a rewind is in progress."""
        self._station = station
        self._first: Frames = 0 if resume is None else resume.sound_from
        """The first frame to which the station may return."""
        changes = [] if resume is None else [entry.frame for entry in resume.log if not entry.level]
        self._changed: Frames = max(changes, default=-1)
        """The frame of the last change in the log. No new change may be made before it has been replayed."""
        self._rests_until: Frames = 0
        self._goal: Frames = 0
        self._end: Frames = 0
        """The position before the rewind. The server has the audio up to there until it agrees to a cut."""
        self._refusals = 0
        self._next_mark: Frames = station.position

    def mark(self, fixed: Frames) -> None:
        """Set a mark if one is due, and forget marks that no rewind needs."""
        if self._station.position >= self._next_mark:
            self._next_mark = self._station.position + SPACING
            self._station.mark()
            self._station.forget(max(fixed, self._first))

    @property
    def has_caught_up(self) -> bool:
        """True once the changes in the log have been replayed."""
        return self._station.mixed > self._changed

    def is_near(self, fixed: Frames) -> bool:
        """Return True if the station can be changed without a rewind."""
        return self._station.position <= max(fixed, self._first) + REACH and self.has_caught_up

    def rests(self, fixed: Frames) -> bool:
        """Return True if a rewind has to wait: shortly after another one, or until the log has been replayed."""
        return fixed < self._rests_until or not self.has_caught_up

    def begin(self, fixed: Frames) -> bool:
        """Begin a rewind. Return False if that is impossible; the station can then be changed only where it is."""
        self._end, self._refusals = self._station.position, 0
        self._goal = min(max(fixed, self._first), self._end)
        self.under_way = self._station.rewind(self._goal)
        return self.under_way

    def begin_again(self, fixed: Frames) -> None:
        """Rewind to a later frame, at most to the end of the audio that the server has, after it has refused."""
        self._goal = min(max(fixed, self._first) + BACKOFF * 2**self._refusals, self._end)
        self._refusals += 1
        self.under_way = self._station.rewind(self._goal)

    def advance(self) -> bool:
        """Render and discard one step. Return True once the station has reached the place to change it."""
        missing = self._goal - self._station.position
        self.under_way = missing > 0 or not self.has_caught_up
        if self.under_way:
            rest = max(1, self._end - self._station.position)
            self._station.render(min(STEP, missing) if missing > 0 else min(MIX_BLOCK, rest))
            self._station.events()
        return not self.under_way

    def settle(self, fixed: Frames) -> None:
        """Make the change final: the server has agreed."""
        self._station.settle()
        self._rests_until = fixed + REST
        self._next_mark = self._station.position
