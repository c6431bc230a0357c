"""`python -m train originality`: how long are the runs that a station copies, beside those of music it never saw?"""

from __future__ import annotations

from collections.abc import Iterable

from radio.compose.run_index import PASSAGE_BARS, Index, Spread
from train.metrics.passage import Passage


def spread(index: Index, pieces: Iterable[Passage]) -> Spread:
    """Of the longest copied run of every whole passage of `pieces` that is not silent."""
    passages = (cut for piece in pieces for cut in piece.cut(PASSAGE_BARS) if cut.notes)
    return Spread.of([index.longest(passage.notes) for passage in passages])
