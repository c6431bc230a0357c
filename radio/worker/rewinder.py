"""Changes of a station that has rendered ahead: it goes back, and renders again what is not fixed yet."""

from __future__ import annotations

from typing import Final

from radio.station.protocol import ResumableStation
from radio.station.snapshot import Resume
from radio.types import MIX_BLOCK, SAMPLE_RATE, Frames

STEP: Frames = 3_840
"""Frames rendered between two polls of the socket: one Ogg page, 80 ms."""

SPACING: Final[Frames] = 2 * SAMPLE_RATE
"""Distance of the places to which the station can return; one takes half a megabyte."""

REACH: Final[Frames] = SAMPLE_RATE // 4
"""A station whose next frame is at most this far beyond the fixed audio is changed where it is."""

REST: Final[Frames] = SAMPLE_RATE // 2
"""Audio on the air between two rewinds. Changes in quick succession wait, and then come together."""


class Rewinder:
    """Takes a station back to the first frame that is not fixed, so that a change of it is heard soon.

    The station returns to a mark, and discards what it renders up to that frame, which meanwhile moves on with the live
    edge. Then the server decides whether the frame was reached in time.

    Args:
        station: The station.
        resume: How it goes on with the piece of another worker.
    """

    def __init__(self, station: ResumableStation, resume: Resume | None) -> None:
        self.under_way = False
        """True from the beginning of a rewind until the server has agreed to it."""
        self.offered = False
        """True while the server decides."""
        self._station = station
        self._first: Frames = 0 if resume is None else resume.sound_from
        """The first frame that the station may go back to."""
        changes = [] if resume is None else [entry.frame for entry in resume.log if not entry.level]
        self._changed: Frames = max(changes, default=-1)
        """The last frame at which a change of the log comes again: no other change may come before it."""
        self._rests_until: Frames = 0
        self._next_mark: Frames = station.position

    def mark(self, fixed: Frames) -> None:
        """Keep the place of the station if it is time for that, and forget what no rewind needs."""
        if self._station.position >= self._next_mark:
            self._next_mark = self._station.position + SPACING
            self._station.mark()
            self._station.forget(max(fixed, self._first))

    def is_near(self, fixed: Frames) -> bool:
        """Return True if the station can be changed where it is."""
        return self._station.position <= max(fixed, self._first) + REACH and self._station.mixed > self._changed

    def rests(self, fixed: Frames) -> bool:
        """Return True shortly after a rewind: the next one has to wait."""
        return fixed < self._rests_until

    def begin(self, fixed: Frames) -> bool:
        """Go back. Return False if that is not possible, and the station can be changed only where it is."""
        self.under_way = self._station.rewind(max(fixed, self._first))
        return self.under_way

    def advance(self, fixed: Frames) -> bool:
        """Render and discard a little. Return True once the station is where the server can agree to go on."""
        missing = max(fixed, self._first) - self._station.position
        if missing <= 0 and self._station.mixed > self._changed:
            self.offered = True
            return True
        self._station.render(min(STEP, missing) if missing > 0 else MIX_BLOCK)
        self._station.events()
        return False

    def settle(self, frame: Frames, *, done: bool) -> None:
        """Take up the server's decision: the station goes on at `frame`, or moves on to a later one."""
        self.offered = False
        if done:
            self.under_way = False
            self._rests_until = frame + REST
            self._next_mark = frame
