"""`python -m train gap`: how far from lo-fi keyboards pop piano is, and how much of that a corpus or a model closes.

The reference was measured on 121 real lo-fi piano and e-piano loops and on POP909's piano part, in windows of four bars
(`train.metrics.keyboard_features`): medians, and means for interval classes. The loops themselves are not at hand,
only their figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from radio.errors import SettingsError
from train.metrics.keyboard_features import NAMES, Features, features, windows
from train.metrics.passage import Passage

LOFI = dict(
    zip(NAMES, (1.94, 1.06, 3.0, 2.8, 1.00, 0.02, 64, 46, 77, 0.07, 0.11, 0.09, 0.05, 0.15, 0.04, 0.07, 0.04, 71, 4.7),
        strict=True)
)  # fmt: skip
POP = dict(
    zip(NAMES, (2.81, 1.88, 2.3, 1.8, 0.71, 0.12, 57, 40, 68, 0.01, 0.09, 0.11, 0.03, 0.29, 0.02, 0.01, 0.00, 80, 9.4),
        strict=True)
)  # fmt: skip
LOOPS, SONGS = 121, 818
"""How many windows the lo-fi column stands on, a loop each, and how many songs the POP909 column."""

RESAMPLES = 300
PLAYS = 4
"""How often a model plays each piece's chords: one performance each is as much chance as what is left of some gaps."""

GOAL = 0.85


@dataclass(frozen=True, slots=True)
class FeatureGap:
    """One feature: both references, what was measured, and the standard error that the gap between the references has.

    `closed` is 1 where the measured value is the lo-fi one and 0 where it is as far from it as pop's, on either side.
    """

    name: str
    lofi: float
    pop: float
    error: float
    measured: Mapping[str, float]

    @property
    def errors(self) -> float:
        """The gap between the references, in standard errors."""
        return abs(self.lofi - self.pop) / self.error if self.error else inf

    @property
    def counts(self) -> bool:
        """Whether the gap is more than twice its error: smaller ones may be chance."""
        return self.errors > 2

    def closed(self, what: str) -> float:
        return 1 - abs(self.measured[what] - self.lofi) / abs(self.pop - self.lofi)


def compare(corpora: Mapping[str, Iterable[Passage]], plain: Iterable[Passage], *, seed: int = 1) -> list[FeatureGap]:
    """The table's rows, with a column for each of `corpora`.

    The references' own windows are not at hand, so the error of their gap is the bootstrap error of stand-ins, drawn
    with replacement as often as the references have them. For the loops: `LOOPS` single windows, each of a piece drawn
    anew, of the first corpus, which is made to be like them, or of `plain`, whichever varies more, for arranged music
    may be more alike than loops are. For POP909: `SONGS` whole songs of `plain`, which is POP909 as it is. Both errors
    are independent: their squares add.

    Raises:
        SettingsError: a corpus without a single window.
    """
    found = {what: _measured(what, pieces) for what, pieces in corpora.items()}
    medians = {what: _middle(np.concatenate(each)) for what, each in found.items()}
    generator = np.random.default_rng(seed)
    lofi, pop = next(iter(found.values())), _measured("POP909", plain)

    def loops_of(pieces: Sequence[Features]) -> Features:
        return _bootstrap(lambda: [generator.choice(each)[None] for each in _drawn(pieces, LOOPS, generator)])

    loops = np.maximum(loops_of(lofi), loops_of(pop))
    errors = np.hypot(loops, _bootstrap(lambda: _drawn(pop, SONGS, generator)))
    return [
        FeatureGap(
            name, LOFI[name], POP[name], errors[place], {what: middle[place] for what, middle in medians.items()}
        )
        for place, name in enumerate(NAMES)
    ]


def table(rows: Sequence[FeatureGap]) -> str:
    """The rows as Markdown: the gap in errors, and the share of it that is closed; in brackets what may be chance."""
    what = list(rows[0].measured)
    lines = [
        "| feature | lo-fi | POP909 | gap, errors | " + " | ".join(f"{each} | closed" for each in what) + " |",
        "| --- | ---: | ---: | ---: |" + " ---: |" * (2 * len(what)),
    ]
    for row in rows:
        name = row.name if row.counts else f"({row.name})"
        cells = " | ".join(f"{row.measured[each]:.3g} | {row.closed(each):.0%}" for each in what)
        lines.append(f"| {name} | {row.lofi:g} | {row.pop:g} | {row.errors:.1f} | {cells} |")
    counted = [row for row in rows if row.counts]
    for each in what:
        left = [row.name for row in counted if row.closed(each) < GOAL]
        words = f"\n{each}: {len(counted) - len(left)} of {len(counted)} gaps closed by at least {GOAL:.0%}"
        lines.append(f"{words}; not {', '.join(left)}." if left else f"{words}.")
    return "\n".join(lines)


def _measured(what: str, pieces: Iterable[Passage]) -> list[Features]:
    """Per piece that has any, its windows (windows, features)."""
    found = [np.array(each) for piece in pieces if (each := list(map(features, windows(piece))))]
    if not found:
        raise SettingsError(f"{what}: no four bars with eight notes to measure")
    return found


def _middle(found: Features) -> Features:
    """Medians over windows (windows, features); means for interval classes."""
    means = [place for place, name in enumerate(NAMES) if name.startswith("interval")]
    middle: Features = np.median(found, axis=0)
    middle[means] = found[:, means].mean(axis=0)
    return middle


def _drawn(pieces: Sequence[Features], count: int, generator: np.random.Generator) -> list[Features]:
    return [pieces[place] for place in generator.integers(len(pieces), size=count)]


def _bootstrap(resample: Callable[[], Sequence[Features]]) -> Features:
    """Standard errors of `_middle` over what `resample` draws."""
    errors: Features = np.std([_middle(np.concatenate(resample())) for _ in range(RESAMPLES)], axis=0)
    return errors
