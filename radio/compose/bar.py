"""A composed bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from radio.compose.plan import BarPlan, Track
from radio.music.events import NoteEvent
from radio.types import BEATS_PER_BAR, Seconds


@dataclass(frozen=True, slots=True)
class Bar:
    """A composed bar: its plan, its track, tempo (BPM) and swing (%), and each layer's events, sorted by tick.

    programs: the General MIDI programs of the layers, and the drum kit.
    """

    plan: BarPlan
    track: Track
    tempo: float
    swing: float
    events: Mapping[str, Sequence[NoteEvent]]
    programs: Mapping[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> Seconds:
        """Length of the bar."""
        return 60 * BEATS_PER_BAR / self.tempo

    @property
    def opens_track(self) -> bool:
        """True for a track's first bar."""
        return self.plan.number == self.track.first_bar

    @property
    def closes_track(self) -> bool:
        """True for a track's last bar, if the track is not skipped."""
        return self.plan.number == self.track.first_bar + self.track.bars - 1
