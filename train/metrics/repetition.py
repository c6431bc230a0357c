"""Repetition: bars and figures of the top line that recur."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import Final

from radio.music.events import Note
from radio.types import TICKS_PER_BAR, Tick
from train.metrics.passage import Passage

FIGURE_NOTES: Final = 3
FIGURE_BARS: Final = 8
"""A figure recurs if it begins again within this many bars."""


def jaccard(one: Collection[Hashable], other: Collection[Hashable]) -> float:
    """Return the share of the elements of two sets that are in both, 0–1; 1 for two empty sets."""
    first, second = set(one), set(other)
    return len(first & second) / len(first | second) if first or second else 1.0


def struck(notes: Sequence[Note], bars: int, modulo: int = 128) -> list[frozenset[tuple[Tick, int]]]:
    """Return each bar's onsets as pairs of place in the bar and pitch; `modulo` 12 takes pitch classes."""
    onsets: list[set[tuple[Tick, int]]] = [set() for _ in range(bars)]
    for note in notes:
        onsets[note.start // TICKS_PER_BAR].add((note.start % TICKS_PER_BAR, note.note % modulo))
    return [frozenset(bar) for bar in onsets]


def similarities(passage: Passage, lag: int) -> list[float]:
    """Return the similarity of each bar to the one `lag` bars later, if both have notes; 1 means the same bar."""
    bars = struck(passage.notes, passage.bars)
    return [jaccard(one, other) for one, other in zip(bars, bars[lag:], strict=False) if one and other]


def recurring(passage: Passage) -> list[bool]:
    """Return, for each three-note figure of the top line, True if it recurs within eight bars.

    A figure is two melodic intervals and the two times between the onsets; a transposed figure counts as the same.
    Figures of the last eight bars are left out, since the bars after them are missing.
    """
    line = passage.top_line
    figures = [
        (notes[0].start, tuple((note.note - notes[0].note, note.start - notes[0].start) for note in notes))
        for place in range(len(line) - FIGURE_NOTES + 1)
        if (notes := line[place : place + FIGURE_NOTES])
    ]
    reach = FIGURE_BARS * TICKS_PER_BAR
    last = passage.bars * TICKS_PER_BAR - reach
    later: dict[object, Tick] = {}
    results = []
    for start, figure in reversed(figures):
        if start < last:
            results.append(later.get(figure, start + reach + 1) - start <= reach)
        later[figure] = start
    return results[::-1]
