"""`python -m train gap`: how far from lo-fi keyboards pop piano is, and how much of that a corpus or a model closes.

The reference was measured on 121 real lo-fi piano and e-piano loops and on POP909's piano part, in windows of four bars
(`train.features`): medians, and means for interval classes. The loops themselves are not at hand, only their figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from radio.errors import SettingsError
from train.features import NAMES, Features, features, windows
from train.metrics.passage import Passage

LOFI = dict(
    zip(NAMES, (1.94, 1.06, 3.0, 2.8, 1.00, 0.02, 64, 46, 77, 0.07, 0.11, 0.09, 0.05, 0.15, 0.04, 0.07, 0.04, 71, 4.7),
        strict=True)
)  # fmt: skip
POP = dict(
    zip(NAMES, (2.81, 1.88, 2.3, 1.8, 0.71, 0.12, 57, 40, 68, 0.01, 0.09, 0.11, 0.03, 0.29, 0.02, 0.01, 0.00, 80, 9.4),
        strict=True)
)  # fmt: skip
LOOPS = 121
"""How many windows the lo-fi column stands on."""

RESAMPLES = 1000
GOAL = 0.85


@dataclass(frozen=True, slots=True)
class Row:
    """One feature: both references, what was measured, and the standard error that the gap between the references has.

    `closed` is 1 where the measured value is the lo-fi one and 0 where it is as far from it as pop's, on either side.
    """

    name: str
    lofi: float
    pop: float
    error: float
    measured: Mapping[str, float]

    @property
    def counts(self) -> bool:
        """Whether the gap is more than twice its error: smaller ones may be chance."""
        return abs(self.lofi - self.pop) > 2 * self.error

    def closed(self, what: str) -> float:
        return 1 - abs(self.measured[what] - self.lofi) / abs(self.pop - self.lofi)


def compare(corpora: Mapping[str, Iterable[Passage]], *, seed: int = 1) -> list[Row]:
    """The table's rows, with a column for each of `corpora`.

    The error of the lo-fi column is the bootstrap error of as many windows as it stands on, drawn from the first
    corpus, a piece at a time: the loops' own spread is not known, and the corpus is made to be like them.

    Raises:
        SettingsError: a corpus without a single window.
    """
    found: dict[str, list[Features]] = {}
    for what, pieces in corpora.items():
        found[what] = [np.array(each) for piece in pieces if (each := list(map(features, windows(piece))))]
        if not found[what]:
            raise SettingsError(f"{what}: no four bars with eight notes to measure")
    medians = {what: _middle(np.concatenate(each)) for what, each in found.items()}
    errors = _bootstrap(next(iter(found.values())), np.random.default_rng(seed))
    return [
        Row(name, LOFI[name], POP[name], errors[place], {what: middle[place] for what, middle in medians.items()})
        for place, name in enumerate(NAMES)
    ]


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown, with the share of each gap that is closed; rows whose gap may be chance in brackets."""
    what = list(rows[0].measured)
    lines = [
        "| feature | lo-fi | POP909 | " + " | ".join(f"{each} | closed" for each in what) + " |",
        "| --- | ---: | ---: |" + " ---: |" * (2 * len(what)),
    ]
    for row in rows:
        name = row.name if row.counts else f"({row.name})"
        cells = " | ".join(f"{row.measured[each]:.2f} | {row.closed(each):.0%}" for each in what)
        lines.append(f"| {name} | {row.lofi:g} | {row.pop:g} | {cells} |")
    for each in what:
        counted = [row for row in rows if row.counts]
        reached = sum(row.closed(each) >= GOAL for row in counted)
        lines.append(f"\n{each}: {reached} of {len(counted)} gaps closed by at least {GOAL:.0%}.")
    return "\n".join(lines)


def _middle(found: Features) -> Features:
    """Medians over windows (windows, features); means for interval classes."""
    means = [place for place, name in enumerate(NAMES) if name.startswith("interval")]
    middle: Features = np.median(found, axis=0)
    middle[means] = found[:, means].mean(axis=0)
    return middle


def _bootstrap(pieces: Sequence[Features], generator: np.random.Generator) -> Features:
    """Standard errors of `_middle` of `LOOPS` windows, each from a piece drawn anew."""
    drawn = []
    for _ in range(RESAMPLES):
        chosen = generator.integers(len(pieces), size=LOOPS)
        drawn.append(_middle(np.array([pieces[each][generator.integers(len(pieces[each]))] for each in chosen])))
    errors: Features = np.std(drawn, axis=0)
    return errors
