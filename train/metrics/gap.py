"""The gap between pop piano and lo-fi keyboards, feature by feature, and the share of it that corpora close.

The references are medians, or means for interval classes, over windows of four bars
(`train.metrics.keyboard_features`) of 121 lo-fi piano and e-piano loops and of POP909's piano part. The loops
themselves are not available, only their figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from radio.errors import SettingsError
from train.metrics.keyboard_features import CLASSES, Features, chosen, features, windows
from train.metrics.passage import Passage

NAMES = (
    "notes a beat", "onsets a beat", "polyphony while sounding", "pitch classes sounding", "median note length, beats",
    "share of silence", "mean pitch", "lowest pitch", "highest pitch",
    *(f"interval class {semitones}" for semitones in CLASSES), "velocity", "velocity spread",
)  # fmt: skip
"""The compared features."""

LOFI = dict(
    zip(NAMES, (1.94, 1.06, 3.0, 2.8, 1.00, 0.02, 64, 46, 77, 0.07, 0.11, 0.09, 0.05, 0.15, 0.04, 0.07, 0.04, 71, 4.7),
        strict=True)
)  # fmt: skip
POP = dict(
    zip(NAMES, (2.81, 1.88, 2.3, 1.8, 0.71, 0.12, 57, 40, 68, 0.01, 0.09, 0.11, 0.03, 0.29, 0.02, 0.01, 0.00, 80, 9.4),
        strict=True)
)  # fmt: skip
LOOPS, SONGS = 121, 818
"""Windows of the lo-fi reference, one per loop, and songs of the POP909 reference."""

RESAMPLES = 300
PLAYS = 4
"""Performances of each piece's chords by a model; a single one would vary as much as some of the remaining gaps."""

GOAL = 0.85


@dataclass(frozen=True, slots=True)
class FeatureGap:
    """The gap of one feature between the references, and the values of the corpora."""

    name: str
    lofi: float
    pop: float
    error: float
    """The standard error of the gap."""
    measured: Mapping[str, float]
    """The values by corpus."""

    @property
    def errors(self) -> float:
        """The gap in standard errors."""
        return abs(self.lofi - self.pop) / self.error if self.error else inf

    @property
    def counts(self) -> bool:
        """True if the gap is more than twice its error; a smaller one may be chance."""
        return self.errors > 2

    def closed(self, corpus: str) -> float:
        """Return the closed share of the gap: 1 at the lo-fi value, 0 at pop's distance from it on either side."""
        return 1 - abs(self.measured[corpus] - self.lofi) / abs(self.pop - self.lofi)


def compare(corpora: Mapping[str, Iterable[Passage]], plain: Iterable[Passage], *, seed: int = 1) -> list[FeatureGap]:
    """Return the gap of every feature, with the values of each corpus.

    The windows of the references are not available, so the error of a gap is a bootstrap error of substitutes, drawn
    with replacement. For the loops, these are `LOOPS` windows, each from a random piece, of the first corpus, which
    imitates them, or of `plain`, whichever varies more, since arranged music may vary less than loops. For POP909, they
    are `SONGS` whole songs of `plain`, which is POP909 without arrangement. The two errors are independent, so their
    squares add.

    Raises:
        SettingsError: A corpus has no window.
    """
    features_by_corpus = {corpus: _measured(corpus, pieces) for corpus, pieces in corpora.items()}
    medians = {corpus: _middle(np.concatenate(pieces)) for corpus, pieces in features_by_corpus.items()}
    generator = np.random.default_rng(seed)
    lofi, pop = next(iter(features_by_corpus.values())), _measured("POP909", plain)

    def loops_of(pieces: Sequence[Features]) -> Features:
        return _bootstrap(lambda: [generator.choice(piece)[None] for piece in _drawn(pieces, LOOPS, generator)])

    loops = np.maximum(loops_of(lofi), loops_of(pop))
    errors = np.hypot(loops, _bootstrap(lambda: _drawn(pop, SONGS, generator)))
    return [
        FeatureGap(
            name, LOFI[name], POP[name], errors[place], {corpus: middle[place] for corpus, middle in medians.items()}
        )
        for place, name in enumerate(NAMES)
    ]


def table(rows: Sequence[FeatureGap]) -> str:
    """Return the gaps as Markdown, with the closed shares. Gaps that may be chance are in brackets."""
    corpora = list(rows[0].measured)
    lines = [
        "| feature | lo-fi | POP909 | gap, errors | " + " | ".join(f"{corpus} | closed" for corpus in corpora) + " |",
        "| --- | ---: | ---: | ---: |" + " ---: |" * (2 * len(corpora)),
    ]
    for row in rows:
        name = row.name if row.counts else f"({row.name})"
        cells = " | ".join(f"{row.measured[corpus]:.3g} | {row.closed(corpus):.0%}" for corpus in corpora)
        lines.append(f"| {name} | {row.lofi:g} | {row.pop:g} | {row.errors:.1f} | {cells} |")
    counted = [row for row in rows if row.counts]
    for corpus in corpora:
        left = [row.name for row in counted if row.closed(corpus) < GOAL]
        words = f"\n{corpus}: {len(counted) - len(left)} of {len(counted)} gaps closed by at least {GOAL:.0%}"
        lines.append(f"{words}; not {', '.join(left)}." if left else f"{words}.")
    return "\n".join(lines)


def _measured(corpus: str, pieces: Iterable[Passage]) -> list[Features]:
    """Return the features of each piece's windows, (windows, features); pieces without windows are left out."""
    measured = [chosen(NAMES, np.array(rows)) for piece in pieces if (rows := list(map(features, windows(piece))))]
    if not measured:
        raise SettingsError(f"{corpus}: there are no four bars with eight notes to measure")
    return measured


def _middle(rows: Features) -> Features:
    """Return the medians over windows, from (windows, features); means for interval classes."""
    means = [place for place, name in enumerate(NAMES) if name.startswith("interval")]
    middle: Features = np.median(rows, axis=0)
    middle[means] = rows[:, means].mean(axis=0)
    return middle


def _drawn(pieces: Sequence[Features], count: int, generator: np.random.Generator) -> list[Features]:
    return [pieces[place] for place in generator.integers(len(pieces), size=count)]


def _bootstrap(resample: Callable[[], Sequence[Features]]) -> Features:
    """Return the standard errors of `_middle` over the sets that `resample` draws."""
    errors: Features = np.std([_middle(np.concatenate(resample())) for _ in range(RESAMPLES)], axis=0)
    return errors
