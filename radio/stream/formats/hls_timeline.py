"""The time base of a station's HLS renditions: from frames of the station to frames since 1970."""

from __future__ import annotations

from typing import Final

from radio.types import SAMPLE_RATE, Frames, Seconds

TOLERANCE: Final[Seconds] = 2.0
"""Times are corrected if they are further behind the clock than this."""

SETTLING: Final[Seconds] = 3.0
"""A difference counts if it lasts this long: after a pause, a station first releases what it has in reserve."""

_FIRST_HOUR: Final = 1_767_225_600 // 3_600
"""The first hour of 2026, in hours since 1970."""


class Timeline:
    """The time base that a station's renditions share while the server runs.

    Times follow the clock forward only. A station that was suspended continues at the time of the clock, with a
    discontinuity. A clock that is set back changes nothing.

    Args:
        live: the station's live edge.
        at: the time, in seconds since 1970.
    """

    def __init__(self, *, live: Frames, at: Seconds) -> None:
        # Players walk arrays by this number, so it is small. A restart of the server must not make it fall.
        self.discontinuities = max(0, int(at // 3_600) - _FIRST_HOUR)
        """The discontinuity sequence number before the first segment, which begins with a discontinuity."""
        self._previous, self._base = 0, round(at * SAMPLE_RATE) - live
        """The station's frame 0 in frames since 1970, before and after the last correction."""
        self._corrected: Frames = 0
        """The frame of the last correction."""
        self._behind: tuple[Seconds, Frames] | None = None
        """The least difference to the clock, and the time since which it is not less."""

    def base(self, frame: Frames) -> Frames:
        """Return the time of the station's frame 0 that holds at `frame`, in frames since 1970."""
        return self._base if frame >= self._corrected else self._previous

    def observe(self, *, live: Frames, at: Seconds) -> None:
        """Compare the live edge with the clock; correct times from `live` on that stay behind it."""
        behind = round(at * SAMPLE_RATE) - live - self._base
        if behind < TOLERANCE * SAMPLE_RATE:
            self._behind = None
        elif self._behind is None or behind < self._behind[1] - SAMPLE_RATE // 10:
            self._behind = at, behind
        elif at - self._behind[0] >= SETTLING:
            self._previous, self._base, self._corrected = self._base, self._base + self._behind[1], live
            self._behind = None
