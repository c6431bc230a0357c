"""Does endless music stay what it is? Each metric hour by hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from train.metrics.likeness import Values
from train.metrics.passage import Passage
from train.metrics.table import PASSAGE_BARS, Metric, measure


@dataclass(frozen=True, slots=True)
class Trend:
    """One metric over the hours.

    means: one a part of the whole. drift: how far the fitted line moves from the first part to the last, in standard
    deviations of single passages. furthest: the part that lies furthest from the mean of all, in the standard errors of
    its own mean; about 2 to 3 is chance among two dozen parts.
    """

    means: Values
    drift: float
    furthest: float


def trends(piece: Passage, metrics: Mapping[str, Metric], parts: int) -> dict[str, Trend]:
    """Every metric in each of `parts` equal parts of `piece`."""
    hours = list(piece.cut(piece.bars // parts))[:parts]
    measured = [measure([hour], metrics, PASSAGE_BARS[0]) for hour in hours]
    return {name: _trend([each[name] for each in measured]) for name in metrics}


def _trend(values: Sequence[Values]) -> Trend:
    every = np.concatenate(values)
    spread = float(every.std()) or 1.0
    means = np.array([each.mean() for each in values])
    slope = float(np.polyfit(np.arange(len(means)), means, 1)[0]) if len(means) > 1 else 0.0
    away = [abs(each.mean() - every.mean()) / (spread / np.sqrt(len(each))) for each in values]
    return Trend(means, slope * (len(means) - 1) / spread, float(max(away)))
