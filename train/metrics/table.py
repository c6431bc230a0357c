"""All metrics by name, and tables that compare two sets of passages by them."""

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
"""Lengths of passages, in order of preference. 32 bars are a track of the radio, long enough for repetitions after 16
bars. Shorter pieces are compared in the longest passages that they have enough of."""
FEWEST_PASSAGES = 20

FEWEST_NOTES = 16
"""Passages with fewer notes are left out."""

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
"""Metrics of pitched parts. Drums are measured by `RHYTHM`."""

Measured = Mapping[str, Values]
"""The values of each metric, one per passage."""


@dataclass(frozen=True, slots=True)
class MetricResult:
    """The comparison of a set with real music by one metric."""

    metric: str
    real: float
    """The mean of the real music."""
    mean: float
    """The mean of the set."""
    likeness: Likeness
    """The similarity of the set to the real music."""
    ceiling: Likeness
    """The similarity of one half of the real music to the other."""


def passage_bars(pieces: Sequence[Passage]) -> int:
    """Return the longest of `PASSAGE_BARS` for which `pieces` have enough passages.

    Raises:
        SettingsError: There is too little music for any length.
    """
    counts = {bars: len(_passages(pieces, bars)) for bars in PASSAGE_BARS}
    for bars, count in counts.items():
        if count >= FEWEST_PASSAGES:
            return bars
    bars, count = counts.popitem()
    raise SettingsError(
        f"the validation music has {count} passages of {bars} bars with {FEWEST_NOTES} notes or more, too few to "
        f"compare with; {FEWEST_PASSAGES} are needed"
    )


def within(metrics: Mapping[str, Metric], bars: int) -> Mapping[str, Metric]:
    """Return the metrics for which a passage of `bars` is long enough."""
    return {
        name: metric
        for name, metric in metrics.items()
        if not (isinstance(metric, partial) and metric.keywords["lag"] >= bars)
    }


def measure(pieces: Sequence[Passage], metrics: Mapping[str, Metric], bars: int) -> Measured:
    """Measure every metric of every whole passage of `bars` in `pieces`.

    Raises:
        SettingsError: There is no passage with enough notes.
    """
    passages = _passages(pieces, bars)
    if not passages:
        raise SettingsError(f"the music has no passage of {bars} bars with {FEWEST_NOTES} notes or more to measure")
    return {name: np.array([metric(passage) for passage in passages]) for name, metric in metrics.items()}


def _passages(pieces: Sequence[Passage], bars: int) -> list[Passage]:
    return [cut for piece in pieces for cut in piece.cut(bars) if len(cut.notes) >= FEWEST_NOTES]


def compare(real: Measured, other: Measured, seed: int = 1) -> list[MetricResult]:
    """Compare `other` with `real` by every metric. The ceiling compares two random halves of the real music."""
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
    """Return the results as Markdown, with the mean overlap below them."""
    lines = [
        f"| metric | validation | {name} | overlap area | KL | real against real: overlap area | KL |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        like, ceiling = row.likeness, row.ceiling
        figures = f"{like.overlap:.2f} | {like.divergence:.3f} | {ceiling.overlap:.2f} | {ceiling.divergence:.3f}"
        lines.append(f"| {row.metric} | {row.real:.3f} | {row.mean:.3f} | {figures} |")
    overlap, ceiling_overlap = (np.mean([select(row).overlap for row in rows]) for select in (_likeness, _ceiling))
    return "\n".join([*lines, "", f"Mean overlap area {overlap:.3f}, real against real {ceiling_overlap:.3f}."])


def as_json(rows: Sequence[MetricResult]) -> list[dict[str, object]]:
    """Return the results as JSON values."""
    return [asdict(row) for row in rows]


def _likeness(row: MetricResult) -> Likeness:
    return row.likeness


def _ceiling(row: MetricResult) -> Likeness:
    return row.ceiling
