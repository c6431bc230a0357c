"""Measurements of what a station composes at several temperatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from tqdm import tqdm

from radio.settings.station import StationSettings
from radio.station.factory import open_composer
from radio.types import BEATS_PER_BAR
from train.metrics.station_figures import StationFigures, measure


def listen(
    settings: StationSettings, *, minutes: float, temperatures: Sequence[float], seed: int
) -> dict[float, StationFigures]:
    """Compose `minutes` at each temperature with the station's other controls, and measure the result."""
    results = {}
    for temperature in temperatures:
        controls = settings.controls.changed({"temperature": temperature})
        composer = open_composer(settings, seed)
        bars = max(1, round(minutes * controls.tempo / BEATS_PER_BAR))
        description = f"{settings.name} at temperature {temperature:g}"
        results[temperature] = measure(
            [composer.next_bar(controls) for _ in tqdm(range(bars), unit="bar", desc=description)]
        )
    return results


def table(results: dict[float, StationFigures]) -> str:
    """Return the measurements as Markdown, one column per temperature."""
    columns = [asdict(figures) for figures in results.values()]
    lines = [
        "| | " + " | ".join(f"temperature {temperature:g}" for temperature in results) + " |",
        "| --- |" + " ---: |" * len(columns),
    ]
    for name in columns[0]:
        cells = [f"{column[name]:.3f}" if isinstance(column[name], float) else str(column[name]) for column in columns]
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
