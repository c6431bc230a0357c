"""Arrangement and loudness from audio: missing lows and highs, intros, endings, and the loudness range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import signal
from tqdm import tqdm

from radio.compose.bar import Bar
from radio.judge.measures import loudness_range
from radio.judge.score import Score
from radio.settings.station import StationSettings
from radio.station.factory import open_station
from radio.types import SAMPLE_RATE, Block, Seconds
from train.metrics.judging import Judge

BANDS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"low": (30, 110), "mid": (200, 1_500), "high": (3_000, 7_000)}
)
"""Limits of the bands in Hz."""

STEP: Final[Seconds] = 2.0
"""Levels are means over this time."""

_RATE: Final = 16_000
_USUAL: Final = 70
"""Percentile of the levels that counts as usual."""
_AWAY_DB: Final = 9.0
_EDGE: Final = 4
"""Steps of a track's beginning and of its end: eight seconds."""
_EDGE_DB: Final = 6.0

Levels = npt.NDArray[np.float64]
"""Levels in dB, one per step."""


@dataclass(frozen=True)
class TrackAudio:
    """Measurements of one rendered track."""

    number: int
    seconds: Seconds
    levels: Mapping[str, Levels]
    """Levels by band."""
    loudness_range: float
    """LRA in LU, EBU Tech 3342."""
    score: Score | None = None
    """The score by the tagger, if there is one."""

    def away(self, *bands: str) -> float:
        """Return the share of the time in which any of `bands` is 9 dB or more below its usual level."""
        below = [self.levels[band] < _usual(self.levels[band]) - _AWAY_DB for band in bands]
        return float(np.logical_or.reduce(below).mean())

    def opens_without(self, band: str) -> bool:
        """Return True if the first eight seconds are on average 6 dB or more below the band's usual level."""
        return bool(self.levels[band][:_EDGE].mean() < _usual(self.levels[band]) - _EDGE_DB)

    def ends_without(self, band: str) -> bool:
        """Return True if the last eight seconds are on average 6 dB or more below the band's usual level."""
        return bool(self.levels[band][-_EDGE:].mean() < _usual(self.levels[band]) - _EDGE_DB)


def render_tracks(settings: StationSettings, *, minutes: float, seed: int) -> Iterator[tuple[list[Bar], Block]]:
    """Render the whole tracks of the first `minutes` of a station, and yield the bars and the audio of each."""
    bars: list[Bar] = []
    left = round(60 * minutes)
    with (
        closing(open_station(settings, seed=seed, on_bar=bars.append)) as station,
        tqdm(total=left, unit="s", desc=f"{settings.name}, audio") as progress,
    ):
        blocks: list[Block] = []
        begins: list[int] = []
        position = 0
        while left > 0:
            blocks.append(station.render(SAMPLE_RATE))
            begins += [event.frame for event in station.events() if event.kind == "track"]
            left -= 1
            progress.update(1)
            if len(begins) < 2:
                continue
            begin, end = begins
            audio = np.concatenate(blocks)
            yield (
                [bar for bar in bars if bar.track.number == bars[0].track.number],
                audio[begin - position : end - position],
            )
            blocks, begins, position = [audio[end - position :]], [end], end
            first = bars[0].track.number
            bars[:] = [bar for bar in bars if bar.track.number != first]


def measure_audio(
    settings: StationSettings, *, minutes: float, seed: int, judge: Judge | None = None
) -> list[TrackAudio]:
    """Render a station and measure its whole tracks; a judge also tags them."""
    return [
        TrackAudio(
            bars[0].track.number,
            len(audio) / SAMPLE_RATE,
            band_levels(audio),
            loudness_range(audio),
            judge.score(settings.name, audio) if judge else None,
        )
        for bars, audio in render_tracks(settings, minutes=minutes, seed=seed)
    ]


def band_levels(audio: Block) -> dict[str, Levels]:
    """Return the levels of each band of `BANDS` in whole steps of two seconds."""
    mono = signal.resample_poly(audio.mean(axis=1, dtype=np.float64), 1, SAMPLE_RATE // _RATE)
    step = round(STEP * _RATE)
    levels = {}
    for band, limits in BANDS.items():
        filtered = signal.sosfilt(signal.butter(3, limits, "bandpass", fs=_RATE, output="sos"), mono)
        steps = filtered[: len(filtered) // step * step].reshape(-1, step)
        levels[band] = 10 * np.log10(np.mean(steps**2, axis=1) + 1e-12)
    return levels


def _usual(levels: Levels) -> float:
    return float(np.percentile(levels, _USUAL))
