"""The timing of keys and bass relative to the drums, measured in the onsets of jazz trios.

Asynchrony is the distance in ms of the pianist's or the bassist's onset at a beat from the drummer's. A take's lateness
is the median of its asynchronies. The part of their variation that persists from one beat to the next, their
autocovariance at a lag of one beat, is due to the players. The rest contains ornaments, spread chords and errors of
onset detection, and is left out. A player's own part follows from the three pairs of players (the three-cornered hat of
Gray and Allan, "A method for estimating the frequency stability of an individual oscillator", 1974).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.compose.drum_timing import Lateness
from radio.errors import SettingsError
from radio.types import JsonValue

SOURCE: Final = (
    "Jazz Trio Database, manual annotation, MIT, © 2023 Huw Cheston; github.com/HuwCheston/Jazz-Trio-Database"
)

WINDOW_MS: Final = 50.0
"""An onset further from the beat is another note, such as a swung eighth."""

FEWEST_BEATS: Final = 40
"""Minimum number of beats that both players strike; a take with fewer is left out."""

_INSTRUMENTS: Final = {"keys": "piano", "bass": "bass"}
_PAIR: Final = "keys and bass"
_QUANTILES: Final = (5, 95)

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TakeTiming:
    """The timing of one player in one take, in ms: lateness, spread, and autocovariance after a beat in ms²."""

    late: float
    spread: float
    persisting: float
    beats: int


def measure_trios(root: Path) -> tuple[dict[str, JsonValue], str]:
    """Return the table of keys and bass from the takes in `root`, and a summary as Markdown.

    Raises:
        SettingsError: No take can be measured, or a file is damaged.
    """
    takes = read_takes(root)
    persisting = {
        pair: float(np.mean([take[pair].persisting for take in takes if pair in take]))
        for pair in (*_INSTRUMENTS, _PAIR)
    }
    partners = {"keys": "bass", "bass": "keys"}
    followers = {
        layer: _lateness(
            [take[layer] for take in takes if layer in take],
            own=max(0.0, (persisting[layer] + persisting[_PAIR] - persisting[other]) / 2) ** 0.5,
        )
        for layer, other in partners.items()
    }
    values: dict[str, JsonValue] = {layer: asdict(lateness) for layer, lateness in followers.items()}
    return {"followers": values, "followers_source": SOURCE}, _table(takes, followers)


def read_takes(root: Path) -> list[Mapping[str, TakeTiming]]:
    """Return the timing of keys and bass behind the drums, and of keys behind bass, by take.

    Raises:
        SettingsError: There is no take, or a file is missing or damaged.
    """
    takes: list[Mapping[str, TakeTiming]] = []
    for path in sorted(root.rglob("*_beats.csv")):
        name = path.name.removesuffix("_beats.csv")
        beats = _seconds(path)
        drums, keys, bass = (
            _nearest(beats, _seconds(path.with_name(f"{name}_{instrument}.csv")))
            for instrument in ("drums", *_INSTRUMENTS.values())
        )
        timings = {
            layer: _take_timing(1000 * late)
            for layer, late in (("keys", keys - drums), ("bass", bass - drums), (_PAIR, keys - bass))
        }
        takes.append({layer: timing for layer, timing in timings.items() if timing is not None})
    if not all(any(layer in take for take in takes) for layer in (*_INSTRUMENTS, _PAIR)):
        raise SettingsError(f"{root}: no takes of jazz trios; files such as 01_beats.csv and 01_piano.csv are needed")
    return takes


def _seconds(path: Path) -> Values:
    try:
        with path.open(encoding="utf-8") as file:
            return np.array([float(row["seconds"]) for row in csv.DictReader(file)])
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path}: not a table of onsets with the column 'seconds' ({error})") from error


def _nearest(beats: Values, onsets: Values) -> Values:
    """Return the onset nearest to each beat; NaN if none is near."""
    if not len(onsets):
        return np.full(len(beats), np.nan)
    after = np.clip(np.searchsorted(onsets, beats), 1, max(1, len(onsets) - 1))
    candidates = np.stack([onsets[after - 1], onsets[np.minimum(after, len(onsets) - 1)]])
    nearest = np.take_along_axis(candidates, np.abs(candidates - beats).argmin(axis=0)[None], axis=0)[0]
    near: Values = np.where(np.abs(nearest - beats) <= WINDOW_MS / 1000, nearest, np.nan)
    return near


def _take_timing(asynchronies: Values) -> TakeTiming | None:
    """Return the timing of a take from the asynchronies at its beats, which are NaN where one of the two rests."""
    present = asynchronies[~np.isnan(asynchronies)]
    if len(present) < FEWEST_BEATS:
        return None
    late = float(np.median(present))
    around = asynchronies - late
    products = around[:-1] * around[1:]
    persisting = float(np.nanmean(products)) if np.isfinite(products).any() else 0.0
    return TakeTiming(late, float(present.std()), persisting, len(present))


def _lateness(takes: Sequence[TakeTiming], own: float) -> Lateness:
    late = np.array([take.late for take in takes])
    low, high = np.percentile(late, _QUANTILES)
    spread = float(late.std(ddof=1)) if len(late) > 1 else 0.0
    return Lateness(
        round(float(late.mean()), 1), round(spread, 1), round(float(low), 1), round(float(high), 1), round(own, 1)
    )


def _table(takes: Sequence[Mapping[str, TakeTiming]], followers: Mapping[str, Lateness]) -> str:
    """Return the measurements as Markdown."""
    lines = [
        "| ms behind the drums | takes | beats | mean | SD by take | 5–95 % of takes | SD within a take | own part |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for layer, lateness in followers.items():
        timings = [take[layer] for take in takes if layer in take]
        within = float(np.mean([timing.spread**2 for timing in timings])) ** 0.5
        lines.append(
            f"| {layer} | {len(timings)} | {sum(timing.beats for timing in timings):,} | {lateness.mean} "
            f"| {lateness.spread} | {lateness.low} to {lateness.high} | {within:.1f} | {lateness.own} |"
        )
    return "\n".join(lines)
