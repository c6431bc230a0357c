"""Scores of recordings: their measures and the tagger's judgment, compared with those of a folder of references."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from radio.audio.decoding import decode
from radio.errors import AudioError, SettingsError
from radio.judge import distance
from radio.judge.measures import Analyzer, Measures
from radio.judge.spectrogram import Array, Decimator, log_mel
from radio.judge.tagger import Judgement, Tagger
from radio.types import Block

SUFFIXES: Final = frozenset({".aac", ".aif", ".aiff", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wma"})
"""Suffixes of the files in a folder that count as references."""

OnFile = Callable[[Path], None]
"""Called before each file."""


@dataclass(frozen=True)
class Score:
    """The score of one recording.

    mono: the recording at 16 kHz, (samples,).
    """

    path: Path
    measures: Measures
    judgement: Judgement
    mono: Array

    @property
    def tags(self) -> Array:
        """The mean probability of each tag."""
        return np.asarray(self.judgement.tags.mean(axis=0), np.float32)


class Comparison(NamedTuple):
    """A recording compared with a set of references.

    frechet: the Fréchet distance of the embeddings. told_apart: balanced accuracy of a classifier; 0.5 is chance. Each
    is None if a side is too short: the distance needs six seconds, the classifier 15.
    """

    frechet: float | None
    told_apart: float | None


def score(path: Path, tagger: Tagger) -> Score:
    """Measure and judge an audio file of any length.

    Raises:
        AudioError: The file cannot be decoded.
    """
    return score_blocks(path, decode(path), tagger)


def score_blocks(name: Path, blocks: Iterable[Block], tagger: Tagger) -> Score:
    """Measure and judge audio; `name` becomes the path in the score."""
    analyzer, decimator = Analyzer(), Decimator()
    parts = []
    for block in blocks:
        analyzer.add(block)
        parts.append(decimator.process(block))
    mono = np.concatenate([*parts, decimator.finish()])
    return Score(name, analyzer.measures(), tagger.judge(log_mel(mono)), mono)


def references(folder: Path, tagger: Tagger, on_file: OnFile = lambda _: None) -> list[Score]:
    """Measure and judge the audio files of a folder and its subfolders; files that cannot be read are left out.

    Raises:
        SettingsError: There is no such folder, or it contains no readable audio file.
    """
    check_folder(folder)
    scores, problems = [], []
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES):
        on_file(path)
        try:
            scores.append(score(path, tagger))
        except AudioError as error:
            problems.append(str(error))
    if not scores:
        raise SettingsError([f"{folder} contains no readable audio file, such as .wav, .flac or .mp3", *problems])
    return scores


def check_folder(folder: Path) -> None:
    """Raise SettingsError if there is no such folder of references."""
    if not folder.is_dir():
        raise SettingsError(f"{folder} is not a folder; name one with audio files as references")


def compare(first: Sequence[Score], second: Sequence[Score]) -> Comparison:
    """Compare two sets of recordings."""
    left, right = ([one.judgement.embeddings for one in scores] for scores in (first, second))
    shortest = min(sum(map(len, left)), sum(map(len, right)))
    told_apart = distance.separability(left, right) if shortest >= distance.FOLDS else None
    return Comparison(_frechet(left, right), told_apart)


def halves(scores: Sequence[Score]) -> float | None:
    """Return the Fréchet distance of every other file to the rest, or between a single file's halves, as a baseline."""
    embeddings = [one.judgement.embeddings for one in scores]
    if len(embeddings) == 1:
        middle = len(embeddings[0]) // 2
        return _frechet([embeddings[0][:middle]], [embeddings[0][middle:]])
    return _frechet(embeddings[::2], embeddings[1::2])


def _frechet(first: Sequence[Array], second: Sequence[Array]) -> float | None:
    left, right = np.concatenate(first), np.concatenate(second)
    return distance.frechet(left, right) if min(len(left), len(right)) >= distance.FEWEST else None
