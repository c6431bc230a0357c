"""Which intervals a keyboard part is made of, and which of them it still owes.

Chords of pop songs stand in other proportions than lo-fi's, and so would the intervals of their voicings. A part that
keeps count of what has sounded above its lowest notes, and prefers what it has had too little of, comes out in lo-fi's
proportions whatever its chords are. Error diffusion: Floyd and Steinberg, "An Adaptive Algorithm for Spatial
Greyscale" (1976), does the same to shades of grey.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp
from types import MappingProxyType

from radio.types import TICKS_PER_BEAT, Tick

WANTED: Mapping[int, float] = MappingProxyType(
    {1: 0.005, 2: 0.07, 3: 0.112, 4: 0.09, 5: 0.047, 6: 0.01, 7: 0.15, 8: 0.015, 9: 0.04, 10: 0.07, 11: 0.04}
)
"""Semitones above the lowest note, octaves taken off → share of all that sounds in lo-fi keyboards.

Measured on 121 loops (`train.metrics.gap`), but for 1, 6 and 8 that share what remains; 3 is a little more and 5 a
little less,
since the top line's own path evens that out.
"""

PATIENCE = 3.0
"""Beats by which an interval must have been missed for its weight to grow by a factor of e."""

MEMORY = 20.0
"""Beats, either way, beyond which a debt counts no more: what the chords at hand cannot give is not made up later."""


class Balance:
    """Beats of each interval above the lowest note that are owed (above 0) or were overspent (below 0)."""

    def __init__(self) -> None:
        self._owed = dict.fromkeys(WANTED, 0.0)

    def heard(self, lowest: int, pitches: Sequence[int], ticks: Tick) -> None:
        """`pitches` sounded over `lowest` for `ticks`; doublings of the lowest note owe nothing."""
        beats = ticks / TICKS_PER_BEAT
        intervals = [interval for pitch in pitches if (interval := (pitch - lowest) % 12)]
        total = sum(WANTED.values())
        for interval, share in WANTED.items():
            owed = self._owed[interval] + beats * (len(intervals) * share / total - intervals.count(interval))
            self._owed[interval] = max(-MEMORY, min(MEMORY, owed))

    def owed(self, interval: int) -> float:
        """Beats, within ±`MEMORY`; 0 for the octave."""
        return self._owed.get(interval, 0.0)

    def weight(self, interval: int) -> float:
        """How likely the interval, 1–11 semitones, is to be drawn now, in proportion to the others."""
        return WANTED[interval] * exp(self.owed(interval) / PATIENCE)
