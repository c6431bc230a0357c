"""The balance of intervals in a keyboard part: the intervals that have sounded too little so far.

Pop songs and lo-fi use chords in different proportions, so the intervals of their voicings differ too. Counting the
intervals above the lowest notes, and preferring those that have sounded too little, gives lo-fi's proportions for any
chords. This is error diffusion, as in Floyd and Steinberg, "An Adaptive Algorithm for Spatial Greyscale" (1976).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp
from types import MappingProxyType

from radio.types import TICKS_PER_BEAT, Tick

TARGET_SHARES: Mapping[int, float] = MappingProxyType(
    {1: 0.005, 2: 0.07, 3: 0.112, 4: 0.09, 5: 0.047, 6: 0.01, 7: 0.15, 8: 0.015, 9: 0.04, 10: 0.07, 11: 0.04}
)
"""Semitones above the lowest note, without octaves → share of all sounding notes in lo-fi keyboards.

Measured on 121 loops (`train.metrics.gap`), except for 1, 6 and 8, which share the rest. 3 is a little higher and 5 a
little lower than measured, since the top line shifts them back.
"""

PATIENCE = 3.0
"""Beats of debt for which the weight of an interval grows by a factor of e."""

MEMORY = 20.0
"""The largest debt or surplus in beats: intervals that the chords do not allow are not made up later."""


class Balance:
    """Beats of each interval above the lowest note that are missing (above 0) or in surplus (below 0)."""

    def __init__(self) -> None:
        self._owed = dict.fromkeys(TARGET_SHARES, 0.0)

    def add(self, lowest: int, pitches: Sequence[int], ticks: Tick) -> None:
        """Count `pitches` that sound above `lowest` for `ticks`; doublings of the lowest note do not count."""
        beats = ticks / TICKS_PER_BEAT
        intervals = [interval for pitch in pitches if (interval := (pitch - lowest) % 12)]
        total = sum(TARGET_SHARES.values())
        for interval, share in TARGET_SHARES.items():
            owed = self._owed[interval] + beats * (len(intervals) * share / total - intervals.count(interval))
            self._owed[interval] = max(-MEMORY, min(MEMORY, owed))

    def owed(self, interval: int) -> float:
        """Return the debt of an interval in beats, within ±`MEMORY`; 0 for the octave."""
        return self._owed.get(interval, 0.0)

    def weight(self, interval: int) -> float:
        """Return the current weight for drawing an interval of 1–11 semitones."""
        return TARGET_SHARES[interval] * exp(self.owed(interval) / PATIENCE)
