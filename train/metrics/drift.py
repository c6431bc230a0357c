"""The drift of a station's figures and the growth of its memory, hour by hour.

A figure drifts if its fitted line rises or falls, from the first hour to the last, by more than twice its standard
error and by more than twice the standard deviation between hours of different seeds.
"""

from __future__ import annotations

import gc
import resource
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from radio.errors import SettingsError
from radio.settings.station import StationSettings
from train.metrics.music import StationMusic, compose, compose_in_parts
from train.metrics.references import SPREADS
from train.metrics.spread import window_features
from train.metrics.station_figures import measure

_SHORTEST: Final = 1800.0
"""Minimum seconds of the last part; a shorter one is only the overrun of earlier hours."""
_FEWEST: Final = 3
GROWTH: Final = 8.0
"""Megabytes by which memory may grow after the first hours, because of the allocator."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One figure over the hours.

    first, last: means of the first and the last quarter. rise: of the fitted line, first hour to last. error: standard
    error of the rise. seeds: standard deviation of the figure between hours of different seeds.
    """

    first: float
    last: float
    rise: float
    error: float
    seeds: float

    @property
    def drifts(self) -> bool:
        """True if the rise is larger than chance and than the difference between seeds."""
        return abs(self.rise) > 2 * self.error and abs(self.rise) > 2 * self.seeds


@dataclass(frozen=True, slots=True)
class HourlyFigures:
    """All figures of a station over hours, and its memory in megabytes after each hour."""

    hours: int
    seeds: int
    drifts: Mapping[str, Drift]
    memory: Sequence[float]

    @property
    def growth(self) -> float:
        """Megabytes by which memory grew after the first quarter of the hours."""
        return self.memory[-1] - self.memory[len(self.memory) // 4]

    def table(self) -> str:
        """Return the figures as Markdown; those that drift are bold."""
        title = f"figure of an hour, over {self.hours} hours"
        lines = [
            f"| {title} | first quarter | last quarter | rise ± error | between {self.seeds} seeds |",
            "| --- | ---: | ---: | ---: | ---: |",
        ]
        for name, drift in self.drifts.items():
            rise = f"{drift.rise:+.3g} ± {drift.error:.2g}"
            rise = f"**{rise}**" if drift.drifts else rise
            lines.append(f"| {name} | {drift.first:.3g} | {drift.last:.3g} | {rise} | {drift.seeds:.2g} |")
        growth = f"{self.growth:+.1f}"
        growth = f"**{growth}**" if self.growth > GROWTH else growth
        first, last = self.memory[len(self.memory) // 4], self.memory[-1]
        return "\n".join([*lines, f"| memory, MB | {first:.0f} | {last:.0f} | {growth} | |"])


def hourly(settings: StationSettings, *, hours: int, seeds: Sequence[int]) -> HourlyFigures:
    """Compose `hours` of a station from the first seed and one hour from each other seed, and measure each hour.

    An interrupt (Ctrl-C) ends the composing early; the hours composed so far are measured.

    Raises:
        SettingsError: There are fewer than three hours.
        ModelError: A checkpoint cannot be used.
    """
    if hours < _FEWEST:
        raise SettingsError(f"--hours: drift needs {_FEWEST} hours or more, not {hours}")
    by_seed = [hour_figures(compose(settings, hours=1.0, seed=seed)) for seed in seeds[1:]]
    rows, memory = [], []
    with suppress(KeyboardInterrupt):
        for music in compose_in_parts(settings, hours=hours, seed=seeds[0], part=1.0):
            if music.seconds >= _SHORTEST:
                rows.append(hour_figures(music))
                del music
                gc.collect()
                memory.append(_megabytes())
    if len(rows) < _FEWEST:
        raise SettingsError(f"{len(rows)} hours were composed; drift needs {_FEWEST} or more")
    by_seed.append(rows[0])
    drifts = {name: _drift([row[name] for row in rows], [row[name] for row in by_seed]) for name in rows[0]}
    return HourlyFigures(len(rows), len(seeds), drifts, memory)


def hour_figures(music: StationMusic) -> dict[str, float]:
    """Return the figures of about an hour of music."""
    tracks = music.tracks()
    figures = measure([music])
    rows = np.array([row for track in tracks for row in window_features(track).values()])
    by_name = {
        "bars exactly the same after 4 bars": figures.exact_bars,
        "similarity after 4 bars": figures.similar_bars,
        "recurring figures of the top line": figures.figures_recurring,
        "chord tones": figures.chord_tones,
        "tempo, BPM": float(np.mean([bar.tempo for bar in music.bars])),
        "length of a track, s": float(np.mean([track.seconds for track in tracks])),
    }
    if figures.drums:
        by_name |= {
            "similarity of neighboring drum bars": figures.drums.neighbors,
            "closed hats a bar": figures.drums.closed_hats,
        }
    return by_name | dict(zip(SPREADS, rows.mean(axis=0).tolist(), strict=True))


def _drift(values: Sequence[float], by_seed: Sequence[float]) -> Drift:
    hours = np.arange(len(values), dtype=float)
    slope, start = np.polyfit(hours, values, 1)
    rest = np.array(values) - (start + slope * hours)
    spread = ((hours - hours.mean()) ** 2).sum()
    error = float(np.sqrt((rest**2).sum() / max(1, len(values) - 2) / spread))
    quarter, span = max(1, len(values) // 4), len(values) - 1
    return Drift(
        first=float(np.mean(values[:quarter])),
        last=float(np.mean(values[-quarter:])),
        rise=float(slope * span),
        error=error * span,
        seeds=float(np.std(by_seed, ddof=1)) if len(by_seed) > 1 else 0.0,
    )


def _megabytes() -> float:
    """Return the resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
