"""Passages that a station has played, as plain data: notes, bars, and control changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from radio.settings.station import StationSettings
from radio.types import MIX_BLOCK, SAMPLE_RATE, STILL, Frames, JsonValue, MixMove, Tick

PREROLL: Final[Frames] = 10 * SAMPLE_RATE // MIX_BLOCK * MIX_BLOCK
"""Length of the audio played before a passage, in which the longest earlier notes and the room's reverb decay."""


class PlayedNote(NamedTuple):
    """A note event as it was played; velocity 0 releases the note."""

    frame: Frames
    layer: str
    note: int
    velocity: int
    tick: Tick


class BarLine(NamedTuple):
    """The beginning of a bar, its tempo, and the programs of its layers."""

    frame: Frames
    number: int
    tempo: float
    frames: Frames = 0
    move: MixMove = STILL
    programs: Mapping[str, int] = {}

    @property
    def end(self) -> Frames:
        """The frame at which the bar ended."""
        return self.frame + self.frames


@dataclass(frozen=True, slots=True)
class AiredPassage:
    """A part of one worker's output; all frames and ticks are on that worker's clock."""

    settings: StationSettings
    """The settings, with the worker's seed and the controls that were in effect `PREROLL` before `start`."""
    start: Frames
    end: Frames
    notes: Sequence[PlayedNote]
    """The notes from `PREROLL` before `start`, in order."""
    bars: Sequence[BarLine]
    """The bars that begin in the passage, in order."""
    changes: Sequence[tuple[Frames, Mapping[str, JsonValue]]]
    """Control changes since `PREROLL` before `start`, in order."""
    moves: Sequence[BarLine] = ()
    """The bars whose mix moves and programs are heard in the passage or before it, in order."""
