"""Reports of `train metrics`: the metrics of a model and a station as JSON, Markdown and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from radio.model.engines.selection import open_engine
from radio.model.sampling import Sampling
from radio.model.weights.checkpoint import read
from radio.settings.station import StationSettings
from train.metrics import play
from train.metrics.figures_json import figures_json
from train.metrics.music import compose
from train.metrics.stationarity import Trend, trends
from train.metrics.table import (
    PITCHED,
    RHYTHM,
    Measured,
    MetricResult,
    as_json,
    compare,
    measure,
    passage_bars,
    table,
    within,
)


@dataclass(frozen=True)
class MetricsReport:
    """The metrics of a checkpoint and of validation music in passages of `bars`, and those of a station over time."""

    checkpoint: str
    temperature: float
    bars: int
    rows: Sequence[MetricResult]
    real: Measured
    played: Measured
    station: str
    hours: float
    trends: Mapping[str, Trend]


def report(
    corpus: Path,
    checkpoint: Path,
    station: StationSettings | None,
    *,
    temperature: float,
    hours: float,
    seed: int,
) -> MetricsReport:
    """Measure the model's music under every plan of the validation music, and `hours` of the station.

    Raises:
        SettingsError: `corpus` is not a prepared corpus, or has too little validation music.
        ModelError: The checkpoint cannot be read.
    """
    model = read(checkpoint)
    pieces = play.corpus(corpus / "validation.jsonl", model.part)
    human = play.human(pieces)
    bars = passage_bars(human)
    all_metrics = PITCHED if model.part.note_offs else RHYTHM
    metrics = within(all_metrics, bars)
    real = measure(human, metrics, bars)
    sampling = Sampling(temperature=temperature)
    playing = play.under_plans(open_engine(model), model.part, pieces, sampling, seed=seed)
    played = measure(list(tqdm(playing, total=len(pieces), unit="piece", desc=checkpoint.stem)), metrics, bars)
    over_time: dict[str, Trend] = {}
    if station is not None:
        layer = "keys" if model.part.note_offs else "drums"
        endless = compose(station, hours=hours, seed=seed).passage(layer)
        over_time = trends(endless, all_metrics, max(2, round(hours)))
    name = station.name if station else ""
    return MetricsReport(
        checkpoint.stem, temperature, bars, compare(real, played), real, played, name, hours, over_time
    )


def write(results: MetricsReport, out: Path) -> str:
    """Write the report to the folder `out`, and return its Markdown."""
    out.mkdir(parents=True, exist_ok=True)
    words = table(results.rows, f"{results.checkpoint}, temperature {results.temperature:g}")
    words += f" Passages of {results.bars} bars."
    if results.trends:
        words += f"\n\n{_over_time(results)}"
        _plot_trends(results, out / "hours.png")
    (out / "metrics.md").write_text(words + "\n")
    hours = {
        name: {"means": trend.means.tolist(), "drift": trend.drift, "furthest": trend.furthest}
        for name, trend in results.trends.items()
    }
    figures = {
        "checkpoint": results.checkpoint,
        "temperature": results.temperature,
        "bars": results.bars,
        "metrics": as_json(results.rows),
    }
    (out / "metrics.json").write_text(figures_json({**figures, "station": results.station, "hours": hours}))
    _plot_densities(results, out / "metrics.png")
    return words


def _over_time(results: MetricsReport) -> str:
    lines = [
        f"| {results.station}, {results.hours:g} hours | first | last | drift, SD | furthest hour, SE |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, trend in results.trends.items():
        first, last = trend.means[0], trend.means[-1]
        lines.append(f"| {name} | {first:.3f} | {last:.3f} | {trend.drift:+.2f} | {trend.furthest:.1f} |")
    return "\n".join(lines)


def _plot_densities(results: MetricsReport, path: Path) -> None:
    """Plot the histograms of each metric for validation and model."""
    from matplotlib.figure import Figure

    columns = 4
    figure = Figure(figsize=(14, 2.6 * -(-len(results.rows) // columns)), layout="constrained")
    for place, row in enumerate(results.rows):
        axes = figure.add_subplot(-(-len(results.rows) // columns), columns, place + 1)
        sets = (results.real[row.metric], results.played[row.metric])
        edges = np.histogram_bin_edges(np.concatenate(sets), 24)
        for values, name in zip(sets, ("validation", results.checkpoint), strict=True):
            axes.hist(values, edges.tolist(), alpha=0.55, density=True, label=name)
        axes.set_title(f"{row.metric}: {row.likeness.overlap:.2f}", fontsize=9)
        axes.set_yticks([])
    figure.axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=90)


def _plot_trends(results: MetricsReport, path: Path) -> None:
    """Plot each metric over the hours, in standard deviations of its hourly means."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 0.5 * len(results.trends) + 1), layout="constrained")
    axes = figure.add_subplot()
    for place, trend in enumerate(results.trends.values()):
        spread = float(trend.means.std()) or 1.0
        axes.plot(-place + 0.15 * (trend.means - trend.means.mean()) / spread)
    axes.set_yticks([-place for place in range(len(results.trends))], list(results.trends))
    axes.set_xlabel("hour")
    figure.savefig(path, dpi=90)
