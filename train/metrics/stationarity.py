"""Trends of metrics over hours of endless music."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from radio.errors import SettingsError
from train.metrics.likeness import Values
from train.metrics.passage import Passage
from train.metrics.table import PASSAGE_BARS, Metric, measure


@dataclass(frozen=True, slots=True)
class Trend:
    """One metric over equal parts of the music."""

    means: Values
    """The mean of each part."""
    drift: float
    """The rise of the fitted line from the first part to the last, in standard deviations of single passages."""
    furthest: float
    """The largest distance of a part from the overall mean, in standard errors of its own mean. Among two dozen parts,
    about 2 to 3 is due to chance."""


def trends(piece: Passage, metrics: Mapping[str, Metric], parts: int) -> dict[str, Trend]:
    """Measure every metric in each of `parts` equal parts of `piece`.

    Raises:
        SettingsError: A part has no passage to measure.
    """
    if piece.bars < parts * PASSAGE_BARS[0]:
        raise SettingsError(f"--hours: {piece.bars} bars are too few; {parts} parts of {PASSAGE_BARS[0]} are needed")
    hours = list(piece.cut(piece.bars // parts))[:parts]
    measured = [measure([hour], metrics, PASSAGE_BARS[0]) for hour in hours]
    return {name: _trend([hour[name] for hour in measured]) for name in metrics}


def _trend(values: Sequence[Values]) -> Trend:
    every = np.concatenate(values)
    spread = float(every.std()) or 1.0
    means = np.array([part.mean() for part in values])
    slope = float(np.polyfit(np.arange(len(means)), means, 1)[0]) if len(means) > 1 else 0.0
    away = [abs(part.mean() - every.mean()) / (spread / np.sqrt(len(part))) for part in values]
    return Trend(means, slope * (len(means) - 1) / spread, float(max(away)))
