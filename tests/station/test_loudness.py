"""Whole tracks have the station's target loudness: on the shipped stations, on a user's, and in files."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from radio.paths import STATIONS
from radio.settings.config import load
from radio.settings.station import StationSettings
from radio.station.extent import BarLoop, WholeTracks
from radio.station.factory import open_station
from radio.station.score import compose
from radio.station.score_audio import play
from radio.types import SAMPLE_RATE, Block, Frames
from tests.audio.pieces import integrated_loudness

pytestmark = pytest.mark.usefixtures("all_candidates")

CONFIG = load(STATIONS)
CHILL = CONFIG.station("chill")
EACH = pytest.mark.parametrize("name", CONFIG.stations)
SEED = 41
"""Not one of the seeds that the leveler was tuned with."""


def loudness_of_tracks(settings: StationSettings, count: int, seed: int = SEED) -> list[float]:
    """Return the integrated loudness of the first tracks of a station."""
    blocks: list[Block] = []
    lines: list[Frames] = []
    with closing(open_station(settings, seed=seed)) as station:
        while len(lines) <= count:
            blocks.append(station.render(SAMPLE_RATE))
            lines += [event.frame for event in station.events() if event.kind == "track"]
    audio = np.concatenate(blocks)
    return [integrated_loudness(audio[start:end]) for start, end in pairwise(lines)]


@pytest.mark.slow
@EACH
def test_tracks_of_every_station_have_the_target_loudness(name: str) -> None:
    assert loudness_of_tracks(CONFIG.station(name), 3) == pytest.approx([-16] * 3, abs=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chill", "ambient"])
def test_tracks_also_have_a_louder_target_loudness(name: str) -> None:
    settings = CONFIG.station(name)
    louder = replace(settings, tone=replace(settings.tone, loudness=-14))
    assert loudness_of_tracks(louder, 2) == pytest.approx([-14] * 2, abs=0.5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"layers": ("keys",), "lead_programs": ()},
        {"layers": ("keys", "bass"), "keys_program": 11},
        {"keys_program": 89, "bass_program": 38, "drum_kit": 25},
    ],
)
def test_a_users_station_has_the_target_loudness(changes: dict[str, object]) -> None:
    assert loudness_of_tracks(replace(CHILL, **changes), 2) == pytest.approx([-16] * 2, abs=0.5)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_file_of_a_whole_track_has_the_target_loudness() -> None:
    audio = np.concatenate(list(play(compose(CONFIG.station("rain"), SEED, WholeTracks()))))
    assert integrated_loudness(audio) == pytest.approx(-16, abs=0.5)


@pytest.mark.parametrize("loudness", [-16, pytest.param(-14, marks=pytest.mark.slow)])
def test_a_loop_has_the_target_loudness(loudness: float) -> None:
    settings = replace(CHILL, tone=replace(CHILL.tone, loudness=loudness))
    audio = np.concatenate(list(play(compose(settings, SEED, BarLoop(2)))))
    assert integrated_loudness(np.concatenate([audio] * 2)) == pytest.approx(loudness, abs=0.3)
