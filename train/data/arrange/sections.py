"""Stage `sections`: only the stretches in which the accompaniment keeps its figure."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from radio.types import TICKS_PER_BAR, Tick
from train.data.corpus.piece import Piece, with_bars

SECTION_BARS = 4
STEADY = 0.45
"""Mean overlap of neighbouring bars' onsets (shared over all, Jaccard) from which on a section counts as steady."""

FEWEST_BARS = 8
"""Shorter stretches than this are no help to a model that is to play for hours."""


def steady(piece: Piece, random: Random) -> Piece:  # noqa: ARG001 - every stage is called alike
    """`piece` without the sections whose bars differ from each other, nor short stretches between such sections."""
    bars: list[set[Tick]] = [set() for _ in range(piece.bars)]
    for note in piece.notes:
        bars[note.start // TICKS_PER_BAR].add(note.start % TICKS_PER_BAR)
    runs: list[list[int]] = []
    for first in range(0, piece.bars - SECTION_BARS + 1, SECTION_BARS):
        if steadiness(bars[first : first + SECTION_BARS]) < STEADY:
            continue
        section = list(range(first, first + SECTION_BARS))
        if runs and runs[-1][-1] == first - 1:
            runs[-1] += section
        else:
            runs.append(section)
    return with_bars(piece, [bar for run in runs if len(run) >= FEWEST_BARS for bar in run])


def steadiness(bars: list[set[Tick]]) -> float:
    """0–1: how much of each bar's rhythm stands in the next one too; an empty bar is like no other."""
    overlaps = [len(one & other) / len(one | other) if one and other else 0.0 for one, other in pairwise(bars)]
    return sum(overlaps) / len(overlaps)
