from __future__ import annotations

import json
from pathlib import Path

import pytest

from radio.compose.drum_timing import ANY, FURTHEST_MS, KINDS, PLACES, STEADY, Lateness, kind_of, place_of, read
from radio.errors import ModelError
from radio.paths import DRUM_TIMINGS, STATIONS
from radio.settings.config import load
from train.data.vocabulary import PADS


def test_every_drum_has_a_kind_and_every_tick_a_place() -> None:
    assert {kind_of(pad) for pad in PADS.values()} == set(KINDS)
    assert [place_of(tick) for tick in PLACES] == list(range(24))
    assert place_of(480 * 7 + 45) == PLACES.index(40), "other ticks are timed like the place before them"


def test_the_shipped_table_has_the_styles_of_the_stations_and_plausible_figures() -> None:
    table = read(DRUM_TIMINGS)
    assert {station.style for station in load(STATIONS).stations.values()} <= set(table)
    for timing in table.values():
        assert all(abs(late) < FURTHEST_MS / 2 for places in timing.late.values() for late in places)
        whole = (timing.drift**2 + timing.habit**2 + timing.hit**2) ** 0.5
        assert 12 < whole < 22
    keys, bass = (table[ANY].followers[layer] for layer in ("keys", "bass"))
    assert 10 < keys.mean < 18
    assert 2 < bass.mean < 8
    assert keys.low < 0 < keys.high < FURTHEST_MS
    lofi = table[ANY].late
    assert lofi["kick"][0] < lofi["snare"][PLACES.index(120)] < lofi["hats"][PLACES.index(120)]


def test_a_table_reads_back_as_written_and_a_malformed_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "timing.json"
    path.write_text(json.dumps({"styles": {ANY: STEADY.as_json()}}))
    (timing,) = read(path).values()
    assert timing.as_json() == STEADY.as_json()
    path.write_text(json.dumps({"styles": {ANY: STEADY.as_json()}, "followers": {"keys": {"mean": 12, "own": 3}}}))
    assert read(path)[ANY].followers == {"keys": Lateness(mean=12.0, own=3.0), "bass": Lateness()}
    short = STEADY.as_json() | {"late": {"kick": [0.0]}}
    for wrong in (
        "noise",
        "[]",
        '{"styles": {"any": 3}}',
        json.dumps({"styles": {}}),
        json.dumps({"styles": {ANY: STEADY.as_json()}, "followers": {"keys": {"mean": "late"}}}),
        json.dumps({"styles": {ANY: STEADY.as_json()}, "followers": {"keys": {"late": 3}}}),
        json.dumps({"styles": {ANY: STEADY.as_json()}, "followers": 3}),
        json.dumps({"styles": {ANY: short}}),
    ):
        path.write_text(wrong)
        with pytest.raises(ModelError, match=r"timing\.json: (not )?a table of timings"):
            read(path)
