"""The table of a mix's measures compared with real lo-fi, for stations and for files."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from radio.errors import SettingsError, StreamError
from radio.settings.station import StationSettings
from radio.station.factory import open_station
from radio.types import SAMPLE_RATE, Block, Frames
from train.metrics.mix.levels import level_figures
from train.metrics.mix.references import RANGES
from train.metrics.mix.rhythm import rhythm_figures
from train.metrics.mix.spectrum import BANDS, spectrum_figures

PASSAGE: Final[Frames] = 100 * SAMPLE_RATE
"""The length of passages, the same as for the real tracks."""
SHORTEST: Final[Frames] = 20 * SAMPLE_RATE
_OPENING: Final[Frames] = 15 * SAMPLE_RATE
"""The beginning of a render that is not measured."""

GOALS: Final[Mapping[str, tuple[float, float]]] = {
    **{
        name: RANGES[name]
        for name in (
            "lufs", "short_term_sd", "psr_like", "crest", *(f"band {band}" for band in BANDS), "tilt_db_per_octave",
            "side_mid_db", "side_mid_mid_db", "percussive_db", "floor_p5_re_rms_db", "frame_p95_p50_db", "pump_dip_db",
        )
    },
    "lra": (3.0, 6.0),
    "true_peak": (-60.0, -1.0),
}  # fmt: skip
"""The target ranges for every station."""

OF_DRUMS: Final = frozenset(
    {
        "percussive_db", "percussive_above_2k_share", "kick_hits_per_s", "pump_dip_db", "crest", "plr", "psr_like",
        "frame_p95_p50_db",
    }
)  # fmt: skip
"""Measures of hits, which mean nothing for a station without drums."""
OF_BASS: Final = frozenset({"band sub 20-60", "band low 60-120"})
"""Measures that mean nothing for a station without drums and bass."""


@dataclass(frozen=True)
class Mix:
    """The passages of one station, or one file."""

    name: str
    layers: frozenset[str]
    passages: Sequence[Mapping[str, float]]
    """The figures of each passage, of all seeds."""

    def figure(self, measure: str) -> float | None:
        """Return the median over the passages; None if no passage has the measure, or if it does not apply."""
        if measure in OF_DRUMS and "drums" not in self.layers:
            return None
        if measure in OF_BASS and not self.layers & {"bass", "drums"}:
            return None
        values = [figures[measure] for figures in self.passages if measure in figures]
        return float(np.median(values)) if values else None

    def missed(self) -> list[str]:
        """Return the measures whose goal the mix misses."""
        figures = {measure: self.figure(measure) for measure in GOALS}
        return [name for name, value in figures.items() if value is not None and not _is_inside(name, value)]


def measure(audio: Block) -> dict[str, float]:
    """Return all figures of a passage, (frames, 2) at 48 kHz, of at least `SHORTEST`.

    Raises:
        StreamError: The passage is silent.
    """
    return {**level_figures(audio), **spectrum_figures(audio), **rhythm_figures(audio)}


def measure_station(settings: StationSettings, *, minutes: float, seeds: Sequence[int]) -> Mix:
    """Render a station from each seed, and measure passages of 100 s; the first 15 s are left out.

    Raises:
        SettingsError: 20 s do not remain.
        ModelError: A checkpoint cannot be used.
        AudioError: The soundfont or a loop cannot be used.
    """
    if round(60 * minutes) * SAMPLE_RATE < _OPENING + SHORTEST:
        raise SettingsError(f"--minutes: {minutes:g} is too short; at least 0.6 are needed")
    figures = []
    for seed in seeds:
        audio = _rendered(settings, minutes, seed)[_OPENING:]
        figures += [measure(passage) for passage in _passages(audio)]
    return Mix(settings.name, frozenset(settings.layers), figures)


def measure_file(path: Path) -> Mix:
    """Measure an audio file.

    Raises:
        StreamError: ffmpeg is not installed, cannot read the file, or it is silent or shorter than 20 seconds.
    """
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "f32le", "-ac", "2", "-ar", str(SAMPLE_RATE), "-"]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except FileNotFoundError as error:
        raise StreamError("reading audio files needs the program ffmpeg, which is not installed") from error
    except subprocess.CalledProcessError as error:
        raise StreamError(f"ffmpeg cannot read {path}: {error.stderr.decode(errors='replace')[-200:]}") from error
    audio = np.frombuffer(done.stdout, "<f4").reshape(-1, 2)
    if len(audio) < SHORTEST:
        raise StreamError(f"{path} lasts {len(audio) / SAMPLE_RATE:.1f} s; at least 20 s are needed")
    try:
        figures = [measure(passage) for passage in _passages(audio)]
    except StreamError as error:
        raise StreamError(f"{path}: {error}") from error
    return Mix(path.stem, frozenset({"keys", "bass", "drums"}), figures)


def table(mixes: Sequence[Mix], *, all_measures: bool = False) -> str:
    """Return the figures as Markdown, one column for each mix; a figure that misses its goal is bold.

    Args:
        all_measures: also show those without a goal, such as tempo and repetition.
    """
    lines = [
        "| measure | real, 10–90 % | goal | " + " | ".join(mix.name for mix in mixes) + " |",
        "| --- | ---: | ---: |" + " ---: |" * len(mixes),
    ]
    for name, (low, high) in RANGES.items():
        if name in GOALS or all_measures:
            cells = [_cell(name, mix.figure(name)) for mix in mixes]
            lines.append(f"| {name} | {_span(low, high)} | {_goal(name)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _rendered(settings: StationSettings, minutes: float, seed: int) -> Block:
    with closing(open_station(settings, seed=seed)) as station:
        blocks = []
        for _ in tqdm(range(round(60 * minutes)), unit="s", desc=f"{settings.name}, seed {seed}"):
            blocks.append(station.render(SAMPLE_RATE))
            station.events()  # discard the events, which would accumulate
        return np.concatenate(blocks)


def _passages(audio: Block) -> Iterator[Block]:
    """Yield whole passages, or all of the audio if it is shorter than one."""
    if len(audio) < PASSAGE:
        yield audio
    for start in range(0, len(audio) - PASSAGE + 1, PASSAGE):
        yield audio[start : start + PASSAGE]


def _is_inside(name: str, value: float) -> bool:
    low, high = GOALS[name]
    return low - 0.05 <= value <= high + 0.05


def _span(low: float, high: float) -> str:
    return f"{low:.3g} to {high:.3g}" if abs(high) < 1000 else f"{low:.0f} to {high:.0f}"


def _goal(name: str) -> str:
    if name == "true_peak":
        return "≤ -1"
    return "3 to 6" if name == "lra" else "inside" if name in GOALS else ""


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    text = f"{value:.2f}" if abs(value) < 1 else f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"
    return text if name not in GOALS or _is_inside(name, value) else f"**{text}**"
