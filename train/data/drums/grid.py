"""A drum grid that divides each beat into four or three, so that an inexact sixteenth does not become a triplet."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import log
from typing import Final

from radio.types import TICKS_PER_BEAT, Tick

FOURS: Final = (0, 30, 60, 90, TICKS_PER_BEAT)
THREES: Final = (0, 40, 80, TICKS_PER_BEAT)

SPREAD: Final = 5.0
"""Standard deviation of human hits around their place in ticks, about 20 ms at 120 BPM."""

LEAST, MOST = 0.02, 0.98
"""Bounds of the prior share of beats in three in a performance."""

_FIRST_GUESS: Final = 0.2
_ROUNDS: Final = 4


def snap_to_grid(ticks: Sequence[float]) -> list[Tick]:
    """Return the grid place of each hit of one performance, in the same order.

    A beat is divided into four or three, by the likelihood of its hits (with normally distributed distances) and by the
    share of beats in three in this performance, which is estimated by expectation–maximization.
    """
    order = sorted(range(len(ticks)), key=ticks.__getitem__)
    beats = [list(beat) for _, beat in groupby(order, key=lambda place: ticks[place] // TICKS_PER_BEAT)]
    better = [
        (_misfit(beat, ticks, FOURS) - _misfit(beat, ticks, THREES)) / (2 * SPREAD**2) for beat in beats
    ]  # log likelihood ratio of three to four
    share = _FIRST_GUESS
    for _ in range(_ROUNDS):
        odds = log(share / (1 - share))
        share = sum(gain + odds > 0 for gain in better) / max(1, len(better))
        share = min(max(share, LEAST), MOST)
    odds = log(share / (1 - share))
    placed = [0] * len(ticks)
    for beat, gain in zip(beats, better, strict=True):
        places = THREES if gain + odds > 0 else FOURS
        for hit in beat:
            placed[hit] = _nearest(ticks[hit], places)
    return placed


def _nearest(tick: float, places: tuple[Tick, ...]) -> Tick:
    beat = int(tick // TICKS_PER_BEAT) * TICKS_PER_BEAT
    return min((beat + place for place in places), key=lambda place: abs(place - tick))


def _misfit(beat: Sequence[int], ticks: Sequence[float], places: tuple[Tick, ...]) -> float:
    """Return the summed squares of the hits' distances from `places`."""
    return sum((ticks[hit] - _nearest(ticks[hit], places)) ** 2 for hit in beat)
