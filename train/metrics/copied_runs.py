"""Lengths of the runs of notes that pieces copy from a training corpus."""

from __future__ import annotations

from collections.abc import Iterable

from radio.compose.run_index import PASSAGE_BARS, Index, Spread
from train.metrics.passage import Passage


def spread(index: Index, pieces: Iterable[Passage]) -> Spread:
    """Return the distribution of the longest copied run over all whole passages of `pieces` that have notes."""
    passages = (cut for piece in pieces for cut in piece.cut(PASSAGE_BARS) if cut.notes)
    return Spread.of([index.longest(passage.notes) for passage in passages])
