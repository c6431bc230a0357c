"""Passages of stations: each station of a config is a condition, and plays from the same seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from radio.errors import SettingsError
from radio.server.survey.pairs import Pair
from radio.settings.station import StationSettings
from radio.station.extent import TimedExcerpt
from radio.station.rendering import render
from radio.types import ProgressCallback, Seconds


def render_pairs(
    stations: Mapping[str, StationSettings],
    folder: Path,
    *,
    seeds: Sequence[int],
    seconds: Seconds,
    on_progress: ProgressCallback,
) -> list[Pair]:
    """Render the beginning of each station from each seed to `folder`, and return the pairs of any two stations.

    A pair has words if both stations have the same prompt.

    Raises:
        SettingsError: There are fewer than two stations.
        RadioError: A station cannot be opened or rendered.
    """
    if len(stations) < 2:
        raise SettingsError("a survey compares two stations or more; the config has one")
    files: dict[tuple[str, int], Path] = {}
    for name, settings in stations.items():
        for seed in seeds:
            path = files[name, seed] = folder / f"{name}-{seed}.wav"
            render(settings, extent=TimedExcerpt(seconds), seed=seed, paths=[path], on_progress=lambda _: None)
            on_progress(len(files) / (len(stations) * len(seeds)))
    return [
        Pair(
            f"seed {seed}", (first, second), (files[first, seed], files[second, seed]), _words(stations, first, second)
        )
        for first, second in combinations(sorted(stations), 2)
        for seed in seeds
    ]


def _words(stations: Mapping[str, StationSettings], first: str, second: str) -> str | None:
    words = {stations[name].prompt for name in (first, second)}
    return (words.pop() or None) if len(words) == 1 else None
