"""Where a drummer feels the beat: how far from the click, and with how much swing.

Drummers play as a rule some 12 ms before the click of the Groove data set (the recording's latency among it), and a
third of its hip-hop, soul and funk swings its sixteenths at 58–64 %. Rounded as it stands, a swung sixteenth falls on
the triplet in one half of the beat and on the sixteenth in the other, and a model learns rhythms that nobody played.
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
"""How far from an eighth a hit still tells where the drummer feels it, in ticks."""

ODD: Final = (20.0, 48.0)
"""Where in its pair an off-beat sixteenth can lie, in ticks: from early to as hard a shuffle as is played."""

FEWEST: Final = 12
"""Off-beat sixteenths from which on a swing is measured."""

WIDEST: Final = 18.0
"""How far apart their quartiles may lie, in % of the pair: what is wider is several rhythms and no swing of one."""

SWINGS: Final = (45.0, 67.0)
STRAIGHT: Final = 50.0


@dataclass(frozen=True, slots=True)
class BeatPlacement:
    """early: ticks by which the drummer comes before the click, below 0 for after. swing: % of the pair."""

    early: float = 0.0
    swing: float = STRAIGHT

    def aligned(self, tick: float) -> float:
        """`tick` by the drummer's own click."""
        return tick + self.early

    def straight(self, tick: float) -> float:
        """An aligned tick with its pair's swing taken out: the off-beat lies in the middle again, the ends stay."""
        within = tick % PAIR
        middle = self.swing / 100 * PAIR
        half = PAIR / 2
        moved = within * half / middle if within <= middle else half + (within - middle) * half / (PAIR - middle)
        return tick - within + moved


def estimate_placement(onsets: Sequence[float]) -> BeatPlacement:
    """The pulse of one drummer's hits at one tempo in one style; straight on the click where they tell nothing."""
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
