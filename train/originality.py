"""`python -m train originality`: how long are the runs that a station copies, beside those of music it never saw?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from radio.compose.originality import Index
from radio.music.parts import Part
from train.metrics.passage import Passage

PASSAGE_BARS = 8
"""Bars that are judged together: long enough for a theme, short enough that one copy shows in the distribution."""

QUANTILES = (0.5, 0.9, 0.99, 1.0)


@dataclass(frozen=True, slots=True)
class Runs:
    """The longest copied run of each passage, in notes."""

    name: str
    lengths: Sequence[int]

    def quantile(self, share: float) -> float:
        return float(np.quantile(self.lengths, share))


def runs(name: str, index: Index, pieces: Iterable[Passage], part: Part) -> Runs:
    """The longest copied run of every passage of `pieces` that is not silent."""
    passages = (cut for piece in pieces for cut in piece.cut(PASSAGE_BARS) if cut.notes)
    return Runs(name, [index.longest(passage.notes, drums=not part.offs) for passage in passages])


def table(found: Sequence[Runs]) -> str:
    """The distributions as Markdown; a run shorter than the index can see counts as 0."""
    heads = [f"{share:.0%}" for share in QUANTILES[:-1]] + ["longest"]
    lines = [
        f"| longest copied run of {PASSAGE_BARS} bars, notes | passages | " + " | ".join(heads) + " |",
        "| --- |" + " ---: |" * (len(heads) + 1),
    ]
    for each in found:
        cells = " | ".join(f"{each.quantile(share):.0f}" for share in QUANTILES)
        lines.append(f"| {each.name} | {len(each.lengths)} | {cells} |")
    return "\n".join(lines)
