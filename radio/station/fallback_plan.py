"""The sound with which a station's worker is replaced, as plain data that any process can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from radio.types import SAMPLE_RATE, Frames

Tier: TypeAlias = Literal["music", "repeat", "texture"]
"""The sound of a station: the music of its models, its last bars again, or textures alone."""

REPEAT_LIMIT: Final[Frames] = 180 * SAMPLE_RATE
"""Time after which the repeated bars have faded out."""

LEAD: Final[Frames] = SAMPLE_RATE // 4
"""Sound before the first frame, so that encoders know what came before."""

CROSSFADE: Final[Frames] = SAMPLE_RATE // 50
"""Overlap of the end of the bars and their beginning."""

_MOST_BARS: Final = 8


@dataclass(frozen=True, slots=True)
class Loop:
    """Bars that are repeated, on the clock of the station that played them.

    lines: bar lines, the end of the last bar included. end: where the music ended, in the bar after the last line.
    """

    lines: tuple[Frames, ...]
    end: Frames

    @classmethod
    def of(cls, lines: Sequence[Frames], first: Frames, end: Frames) -> Loop | None:
        """Return the last whole bars before `end` whose sound is there from `first` on, or None without any."""
        whole = [line for line in lines if first + CROSSFADE <= line <= end][-_MOST_BARS - 1 :]
        return cls(tuple(whole), end) if len(whole) > 1 else None

    @property
    def start(self) -> Frames:
        """The first frame whose sound is needed."""
        return self.lines[0] - CROSSFADE

    @property
    def length(self) -> Frames:
        return self.lines[-1] - self.lines[0]

    def next_line(self, played: Frames) -> Frames:
        """Return the frame, counted from where the loop began to play, of the first bar line at `played` or later."""
        place = self.lines[0] + (self.end - self.lines[-1] + played) % self.length
        return played + next(line for line in self.lines if line >= place) - place


@dataclass(frozen=True, slots=True)
class Fallback:
    """The sound with which a station's worker is replaced.

    loop: None plays textures alone. end: the frame after the last one whose sound is known, on the loop's clock.
    """

    loop: Loop | None = None
    end: Frames = 0


def tier_at(loop: Loop | None, played: Frames) -> Tier:
    """Return what is heard after `played` frames."""
    return "texture" if loop is None or played >= REPEAT_LIMIT else "repeat"
