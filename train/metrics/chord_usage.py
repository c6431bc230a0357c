"""Counts of the chords of each key, and of the changes between them, in the radio's own loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from radio.compose.listening.key import FUNCTIONS, UNIT, changes_of, function
from radio.compose.plan import Request, Track
from radio.music.chords import pitch_class
from radio.settings.station import StationSettings
from radio.station.factory import open_conductor
from radio.types import MODES

_TRACKS: Final = 6
"""Tracks that are counted for each seed."""

_UNSEEN: Final = 3.0
"""Initial count of each chord."""

_CHANCE: Final = 8.0
"""Initial count of changes from each chord, distributed as by chance."""


def count_usage(stations: Sequence[StationSettings], tracks: int, seed: int) -> npt.NDArray[np.int8]:
    """Return log probabilities in steps of `UNIT`: a row for each mode, then the changes from each chord."""
    modes = np.full((len(MODES), FUNCTIONS), _UNSEEN)
    changes = np.zeros((FUNCTIONS, FUNCTIONS))
    for track in tqdm(_tracks(stations, tracks, seed), total=tracks, desc="tracks"):
        for loop in track.loops.values():
            places = [function(chord, pitch_class(track.key)) for chord in loop.halves]
            rows = [MODES.index(track.mode)] if track.mode else range(len(MODES))
            for row in rows:
                np.add.at(modes[row], places, 1 / len(rows))
            for change in changes_of(places):
                changes[change] += 1
    modes /= modes.sum(axis=1, keepdims=True)
    chance = modes.mean(axis=0)
    following = (changes + _CHANCE * chance) / (changes.sum(axis=1, keepdims=True) + _CHANCE)
    table = np.concatenate([np.log(modes), np.log(following / chance)])
    return np.round(table / UNIT).astype(np.int8)


def _tracks(stations: Sequence[StationSettings], count: int, seed: int) -> Iterator[Track]:
    """Yield the first tracks of stations with successive seeds, without their notes."""
    for offset in range(-(-count // _TRACKS)):
        conductor = open_conductor(stations[offset % len(stations)], seed + offset)
        track = conductor.next_bar(Request())[0]
        for _ in range(min(_TRACKS, count - offset * _TRACKS)):
            yield track
            number = track.number
            while track.number == number:
                track = conductor.next_bar(Request())[0]


def write(path: Path, table: npt.NDArray[np.int8]) -> None:
    """Write the table of `count_usage`."""
    with path.open("wb") as file:
        np.save(file, table, allow_pickle=False)
