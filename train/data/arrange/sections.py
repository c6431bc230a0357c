"""Stage `sections`: keep the sections with a steady rhythm of the accompaniment."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from radio.types import TICKS_PER_BAR, Tick
from train.data.corpus.piece import Piece, select_bars

SECTION_BARS = 4
STEADY = 0.45
"""Minimum mean overlap (Jaccard index) of the onsets of neighboring bars in a steady section."""

FEWEST_BARS = 8
"""Shorter runs of steady sections are dropped: they do not help a model that has to play for hours."""


def keep_steady_sections(piece: Piece, random: Random) -> Piece:  # noqa: ARG001 - all stages have one signature
    """Return `piece` without sections of changing rhythm, and without short runs between them."""
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
    return select_bars(piece, [bar for run in runs if len(run) >= FEWEST_BARS for bar in run])


def steadiness(bars: list[set[Tick]]) -> float:
    """Return the mean overlap of the rhythm of neighboring bars, 0–1; an empty bar overlaps with none."""
    overlaps = [len(one & other) / len(one | other) if one and other else 0.0 for one, other in pairwise(bars)]
    return sum(overlaps) / len(overlaps)
