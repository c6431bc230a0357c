"""The audio that replaces a station whose worker cannot play, as plain data that any process can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from radio.types import SAMPLE_RATE, Frames

Tier: TypeAlias = Literal["music", "repeat", "texture"]
"""The kind of audio that a station plays: composed music, its last bars repeated, or only textures."""

REPEAT_LIMIT: Final[Frames] = 180 * SAMPLE_RATE
"""Time after which the repeated bars have faded out."""

LEAD: Final[Frames] = SAMPLE_RATE // 4
"""Length of the audio before frame 0, with which encoders warm up."""

CROSSFADE: Final[Frames] = SAMPLE_RATE // 50
"""Overlap of the end and the beginning of the repeated bars."""

_MOST_BARS: Final = 8


@dataclass(frozen=True, slots=True)
class Loop:
    """Repeated bars, on the clock of the station that played them.

    lines: bar lines, including the end of the last bar. end: where the music ended, in the bar after the last line.
    """

    lines: tuple[Frames, ...]
    end: Frames

    @classmethod
    def of(cls, lines: Sequence[Frames], first: Frames, end: Frames) -> Loop | None:
        """Return the last whole bars between `first`, the oldest available frame, and `end`; None if there are none."""
        whole = [line for line in lines if first + CROSSFADE <= line <= end][-_MOST_BARS - 1 :]
        return cls(tuple(whole), end) if len(whole) > 1 else None

    @property
    def start(self) -> Frames:
        """The first frame whose audio is needed."""
        return self.lines[0] - CROSSFADE

    @property
    def length(self) -> Frames:
        return self.lines[-1] - self.lines[0]

    def next_line(self, played: Frames) -> Frames:
        """Return the frame of the first bar line at `played` or later; both count from the start of playback."""
        place = self.lines[0] + (self.end - self.lines[-1] + played) % self.length
        return played + next(line for line in self.lines if line >= place) - place


@dataclass(frozen=True, slots=True)
class Fallback:
    """The audio that replaces a station whose worker cannot play.

    loop: None means only textures. end: the frame after the last available audio, on the loop's clock.
    """

    loop: Loop | None = None
    end: Frames = 0


def tier_at(loop: Loop | None, played: Frames) -> Tier:
    """Return the tier that is heard after `played` frames."""
    return "texture" if loop is None or played >= REPEAT_LIMIT else "repeat"
