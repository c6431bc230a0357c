"""The parts that models play: note range, grid and density levels, shared by data preparation and the radio."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from radio.types import TICKS_PER_BEAT, Tick


@dataclass(frozen=True, slots=True)
class Part:
    """The note range, grid and density levels of one part.

    Preparation rounds notes to the part's grid, and the host allows no other positions, so that the model learns music
    rather than timing jitter. The host adds human timing on air.

    low, high: lowest and highest note, inclusive.
    note_offs: whether tokens release notes.
    onsets, releases: ticks within a beat at which notes may start and end.
    density_edges: the most strikes in a bar of each level 0–6; bars with more are level 7.
    """

    name: str
    low: int
    high: int
    note_offs: bool
    onsets: tuple[Tick, ...]
    releases: tuple[Tick, ...]
    density_edges: tuple[int, ...]

    def density(self, strikes: int) -> int:
        """Return the density level, 0–7, of a bar with `strikes` struck notes; level 0 is an empty bar."""
        return bisect_left(self.density_edges, strikes)

    def nearest_onset(self, tick: float) -> Tick:
        """Return the tick nearest to `tick`, in any beat, at which a note may start."""
        return _nearest(tick, self.onsets)

    def nearest_release(self, tick: float) -> Tick:
        """Return the tick nearest to `tick`, in any beat, at which a note may end."""
        return _nearest(tick, self.releases)

    def fold(self, note: int) -> int:
        """Return `note` moved by octaves into the range of the part."""
        while note < self.low:
            note += 12
        while note > self.high:
            note -= 12
        return note


def _nearest(tick: float, offsets: tuple[Tick, ...]) -> Tick:
    beat = int(tick // TICKS_PER_BEAT) * TICKS_PER_BEAT
    return min((beat + offset for offset in (*offsets, TICKS_PER_BEAT)), key=lambda candidate: abs(candidate - tick))


_SIXTEENTHS_AND_TRIPLETS: Final = (0, 30, 40, 60, 80, 90)
_EIGHTHS_OF_A_BEAT: Final = (0, 15, 30, 45, 60, 75, 90, 105)

PIANO: Final = Part("piano", 36, 96, True, _SIXTEENTHS_AND_TRIPLETS, _EIGHTHS_OF_A_BEAT, (0, 4, 7, 9, 12, 15, 20))
DRUMS: Final = Part("drums", 35, 59, False, _SIXTEENTHS_AND_TRIPLETS, (), (0, 5, 8, 11, 14, 18, 24))
CHORDS: Final = Part("chords", 0, -1, False, (), (), ())
"""The part of the chord model: it has no notes, only the chord loops that the other parts follow."""

BAND: Final = Part("band", 0, 127, False, _EIGHTHS_OF_A_BEAT, _EIGHTHS_OF_A_BEAT, ())
"""All instruments together, as events (`radio.music.band_events`)."""

PARTS: Final = {part.name: part for part in (PIANO, DRUMS, CHORDS, BAND)}
