from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from radio.compose.plan import Request, Track
from radio.errors import ModelError
from radio.paths import STATIONS
from radio.settings.config import load
from radio.settings.station import StationSettings
from radio.station.factory import open_conductor, open_station

CHILL = load(STATIONS).stations["chill"]


def tracks(settings: StationSettings, seed: int) -> list[Track]:
    conductor = open_conductor(settings, seed)
    return list({track.number: track for track, _, _ in (conductor.next_bar(Request()) for _ in range(250))}.values())


def test_stations_with_one_seed_but_other_names_differ_in_titles_forms_and_loops() -> None:
    one, again, other = (tracks(settings, 1) for settings in (CHILL, CHILL, replace(CHILL, name="night")))
    assert one == again
    for track, stranger in zip(one, other, strict=False):
        assert track.title != stranger.title
        assert track.script != stranger.script
        assert track.loops != stranger.loops


def test_a_station_that_cannot_be_opened_leaves_no_synthesizer_open(tmp_path: Path) -> None:
    """A listener of `radio play` may try it again and again."""
    settings = replace(CHILL, piano_state=tmp_path / "missing.safetensors")
    open_files = []
    for _ in range(2):
        with pytest.raises(ModelError, match="no such file"):
            open_station(settings)
        open_files.append(psutil.Process().num_fds())
    assert open_files[0] == open_files[1]
