"""Every metric by name, measured on sets of passages, and the sets compared: figures, Markdown, JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from types import MappingProxyType

import numpy as np

from radio.errors import SettingsError
from train.metrics import pitch, rhythm, thesis
from train.metrics.likeness import Likeness, Values, likeness
from train.metrics.passage import Passage

PASSAGE_BARS = (32, 16, 8, 4)
"""How long a passage is: one track of the radio, long enough for what comes back after 16 bars, or, where the music is
in shorter pieces, the longest of which there are enough."""
FEWEST_PASSAGES = 20

FEWEST_NOTES = 16
"""A passage with fewer is silence with a few notes in it: there is nothing to measure."""

Metric = Callable[[Passage], float]

RHYTHM: Mapping[str, Metric] = MappingProxyType(
    {
        "note density": rhythm.note_density,
        "groove consistency": rhythm.groove_consistency,
        "repetition after 4 bars": partial(rhythm.repetition, lag=4),
        "repetition after 8 bars": partial(rhythm.repetition, lag=8),
        "repetition after 16 bars": partial(rhythm.repetition, lag=16),
        "rhythm consistency": thesis.rhythm_consistency,
        "rhythm spread": thesis.rhythm_spread,
    }
)
PITCHED: Mapping[str, Metric] = MappingProxyType(
    {
        **RHYTHM,
        "polyphony": rhythm.polyphony,
        "note length": rhythm.note_length,
        "pitch range": rhythm.pitch_range,
        "pitch-class entropy": pitch.pitch_class_entropy,
        "scale consistency": pitch.scale_consistency,
        "chord-tone ratio (CTnCTR)": pitch.chord_tone_ratio,
        "chord-tone time": pitch.chord_tone_time,
        "pitch consonance score": pitch.pitch_consonance,
        "melody–chord tonal distance": pitch.tonal_distance,
        "melodic similarity": thesis.melodic_similarity,
        "tonal stability": thesis.tonal_stability,
        "consonance": thesis.consonance,
        "dissonance": thesis.dissonance,
    }
)
"""Metrics of pitched parts; drums have those of `RHYTHM`."""

Measured = Mapping[str, Values]
"""By metric, one value a passage."""


@dataclass(frozen=True, slots=True)
class MetricResult:
    """One metric: mean of the real music and of the set, their likeness, and that of the real music with itself."""

    metric: str
    real: float
    mean: float
    likeness: Likeness
    ceiling: Likeness


def passage_bars(pieces: Sequence[Passage]) -> int:
    """The longest of `PASSAGE_BARS` of which `pieces` hold enough.

    Raises SettingsError where there is not enough music for any.
    """
    counts = {bars: len(_passages(pieces, bars)) for bars in PASSAGE_BARS}
    for bars, count in counts.items():
        if count >= FEWEST_PASSAGES:
            return bars
    bars, count = counts.popitem()
    raise SettingsError(
        f"the validation music holds {count} passages of {bars} bars with {FEWEST_NOTES} notes or more, too few to "
        f"compare with; {FEWEST_PASSAGES} are needed"
    )


def within(metrics: Mapping[str, Metric], bars: int) -> Mapping[str, Metric]:
    """Those that a passage of `bars` is long enough for."""
    return {
        name: metric
        for name, metric in metrics.items()
        if not (isinstance(metric, partial) and metric.keywords["lag"] >= bars)
    }


def measure(pieces: Sequence[Passage], metrics: Mapping[str, Metric], bars: int) -> Measured:
    """Every metric of every whole passage of `bars` in `pieces`."""
    passages = _passages(pieces, bars)
    return {name: np.array([metric(passage) for passage in passages]) for name, metric in metrics.items()}


def _passages(pieces: Sequence[Passage], bars: int) -> list[Passage]:
    return [cut for piece in pieces for cut in piece.cut(bars) if len(cut.notes) >= FEWEST_NOTES]


def compare(real: Measured, other: Measured, seed: int = 1) -> list[MetricResult]:
    """The rows of the table; the ceiling is one random half of the real music against the other."""
    generator = np.random.default_rng(seed)
    rows = []
    for name, values in real.items():
        shuffled = generator.permutation(values)
        half = len(values) // 2
        rows.append(
            MetricResult(
                name,
                float(values.mean()),
                float(other[name].mean()),
                likeness(values, other[name], generator),
                likeness(shuffled[:half], shuffled[half:], generator),
            )
        )
    return rows


def table(rows: Sequence[MetricResult], name: str) -> str:
    """The rows as Markdown, with the mean overlap below them."""
    lines = [
        f"| metric | validation | {name} | overlap area | KL | real against real: overlap area | KL |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        like, ceiling = row.likeness, row.ceiling
        figures = f"{like.overlap:.2f} | {like.divergence:.3f} | {ceiling.overlap:.2f} | {ceiling.divergence:.3f}"
        lines.append(f"| {row.metric} | {row.real:.3f} | {row.mean:.3f} | {figures} |")
    overlap, ceiling_overlap = (np.mean([each(row).overlap for row in rows]) for each in (_likeness, _ceiling))
    return "\n".join([*lines, "", f"Mean overlap area {overlap:.3f}, real against real {ceiling_overlap:.3f}."])


def as_json(rows: Sequence[MetricResult]) -> list[dict[str, object]]:
    """The rows as JSON values."""
    return [asdict(row) for row in rows]


def _likeness(row: MetricResult) -> Likeness:
    return row.likeness


def _ceiling(row: MetricResult) -> Likeness:
    return row.ceiling
