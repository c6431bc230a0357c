"""Scores of rendered tracks by the tagger, compared with a folder of reference recordings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radio.judge.score import Score, compare, halves, references, score_blocks
from radio.judge.tagger import load
from radio.types import Block

TAGS: Final = ("rock", "electronic", "chillout")


@dataclass(frozen=True)
class JudgeFigures:
    """Figures of a station's tracks compared with references.

    frechet, told_apart: see `radio.judge.score.Comparison`; NaN if there is too little audio. halves: the Fréchet
    distance of the references' own halves. tags: mean probabilities of `TAGS`.
    """

    frechet: float
    told_apart: float
    halves: float
    tags: Mapping[str, float]


class Judge:
    """The tagger and the references in a folder.

    Raises:
        SettingsError: The folder contains no audio file that can be read.
    """

    def __init__(self, folder: Path) -> None:
        self._tagger = load()
        self._references = references(folder, self._tagger)

    def score(self, name: str, audio: Block) -> Score:
        """Return the score of a track."""
        return score_blocks(Path(name), [audio], self._tagger)

    def figures(self, scores: Sequence[Score]) -> JudgeFigures:
        """Return the combined figures of several tracks."""
        comparison = compare(scores, self._references)
        places = {tag: self._tagger.names.index(tag) for tag in TAGS}
        return JudgeFigures(
            frechet=_number(comparison.frechet),
            told_apart=_number(comparison.told_apart),
            halves=_number(halves(self._references)),
            tags={tag: sum(float(one.tags[place]) for one in scores) / len(scores) for tag, place in places.items()},
        )


def _number(value: float | None) -> float:
    return math.nan if value is None else value
