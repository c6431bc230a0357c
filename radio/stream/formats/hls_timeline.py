"""The time base of a station's HLS renditions: maps the station's frames to frames since 1970."""

from __future__ import annotations

from typing import Final

from radio.types import SAMPLE_RATE, Frames, Seconds

TOLERANCE: Final[Seconds] = 2.0
"""Times are corrected if they fall further behind the clock than this."""

SETTLING: Final[Seconds] = 3.0
"""A difference must last this long to be corrected: after a pause, a station first releases its reserve."""

_FIRST_HOUR: Final = 1_767_225_600 // 3_600
"""The first hour of 2026, in hours since 1970."""


class Timeline:
    """The time base that a station's renditions share while the server runs.

    Times follow the clock only forward. A station that was suspended continues at the clock's time, after a
    discontinuity. Setting the clock back changes nothing.

    Args:
        live: the station's live edge.
        at: the current time, in seconds since 1970.
    """

    def __init__(self, *, live: Frames, at: Seconds) -> None:
        # Players index arrays by this number, so it is small. A restart of the server must not decrease it.
        self.discontinuities = max(0, int(at // 3_600) - _FIRST_HOUR)
        """The discontinuity sequence number before the first segment, which itself begins with a discontinuity."""
        self._previous, self._base = 0, round(at * SAMPLE_RATE) - live
        """The time of the station's frame 0 in frames since 1970, before and after the last correction."""
        self._corrected: Frames = 0
        """The frame of the last correction."""
        self._behind: tuple[Seconds, Frames] | None = None
        """The time at which the smallest difference from the clock was observed, and that difference."""

    def base(self, frame: Frames) -> Frames:
        """Return the time of the station's frame 0 that applies at `frame`, in frames since 1970."""
        return self._base if frame >= self._corrected else self._previous

    def observe(self, *, live: Frames, at: Seconds) -> None:
        """Compare the live edge with the clock. If it stays behind, correct the times from `live` onward."""
        behind = round(at * SAMPLE_RATE) - live - self._base
        if behind < TOLERANCE * SAMPLE_RATE:
            self._behind = None
        elif self._behind is None or behind < self._behind[1] - SAMPLE_RATE // 10:
            self._behind = at, behind
        elif at - self._behind[0] >= SETTLING:
            self._previous, self._base, self._corrected = self._base, self._base + self._behind[1], live
            self._behind = None
