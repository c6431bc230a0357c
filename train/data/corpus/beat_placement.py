"""The beat placement of a drummer: the offset from the click, and the amount of swing.

Drummers of the Groove data set usually play some 12 ms before its click (recording latency included), and a third of
its hip-hop, soul and funk swings its sixteenths at 58–64 %. Rounded as played, a swung sixteenth falls on a triplet in
one half of the beat and on a sixteenth in the other, so a model would learn rhythms that were never played.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from radio.types import TICKS_PER_BEAT

PAIR: Final = TICKS_PER_BEAT / 2
"""Ticks in a pair of sixteenths, the unit that swings."""

NEAR: Final = 15.0
"""Maximum distance from an eighth, in ticks, of hits that count for the offset."""

ODD: Final = (20.0, 48.0)
"""Ticks within a pair where an off-beat sixteenth can fall, from early to the hardest shuffle."""

FEWEST: Final = 12
"""Minimum number of off-beat sixteenths for an estimate of swing."""

WIDEST: Final = 18.0
"""Maximum distance between their quartiles, in % of the pair; a wider one means several rhythms instead of swing."""

SWINGS: Final = (45.0, 67.0)
STRAIGHT: Final = 50.0


@dataclass(frozen=True, slots=True)
class BeatPlacement:
    """The offset and swing of one drummer's take."""

    early: float = 0.0
    """Ticks before the click; negative if after it."""
    swing: float = STRAIGHT
    """The place of the off-beat sixteenth, in % of the pair."""

    def align(self, tick: float) -> float:
        """Return `tick` relative to the drummer's own click."""
        return tick + self.early

    def straighten(self, tick: float) -> float:
        """Return an aligned tick without swing: the off-beat moves to the middle of its pair, the ends stay."""
        within = tick % PAIR
        middle = self.swing / 100 * PAIR
        half = PAIR / 2
        moved = within * half / middle if within <= middle else half + (within - middle) * half / (PAIR - middle)
        return tick - within + moved


def estimate_placement(onsets: Sequence[float]) -> BeatPlacement:
    """Estimate the beat placement from one drummer's hits in a take; with too few, it is straight and on the click."""
    ticks = np.asarray(onsets, dtype=np.float64)
    from_eighth = (ticks + PAIR / 2) % PAIR - PAIR / 2
    near = from_eighth[np.abs(from_eighth) <= NEAR]
    late = float(np.median(near)) if len(near) else 0.0
    within = (ticks - late) % PAIR
    odd = within[(within >= ODD[0]) & (within <= ODD[1])]
    if len(odd) < FEWEST:
        return BeatPlacement(-late)
    low, middle, high = np.percentile(odd, (25, 50, 75)) / PAIR * 100
    swing = float(np.clip(middle, *SWINGS)) if high - low <= WIDEST else STRAIGHT
    return BeatPlacement(-late, swing)
