from __future__ import annotations

from dataclasses import replace

from radio.compose.plan import Request, Track
from radio.paths import STATIONS
from radio.settings.config import load
from radio.settings.station import StationSettings
from radio.station.factory import open_conductor

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
