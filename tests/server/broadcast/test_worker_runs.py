from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from radio.compose.composer import Bar
from radio.model.weights import checkpoint
from radio.paths import STATIONS
from radio.server.broadcast import worker_runs as history
from radio.server.broadcast.now_playing import TRACKS, AiredTrack
from radio.server.broadcast.worker_runs import WorkerRun
from radio.settings.config import load
from radio.settings.controls import Controls
from radio.settings.station import StationSettings
from radio.station.factory import open_composer
from radio.types import Landing
from tests.model.models import checkpoint as random_model
from tests.server.on_air import on_air, until
from tests.server.routes.test_stations import get, patch
from tests.server.tone_worker import settings


def run(**changes: Any) -> WorkerRun:
    given = {"number": 0, "settings": settings(seed=5), "started": 0.0, "origin": 0, "digests": {}} | changes
    return WorkerRun(**given)


def test_changes_count_from_where_they_land() -> None:
    one = run()
    one.changed({"tempo": Landing(3, 300), "keys_mute": Landing(2, 210)}, {"tempo": 70.0, "keys_mute": True})
    one.changed({"tempo": Landing(3, 300)}, {"tempo": 72.0})
    assert [change.at.bar for change in one.changes] == [3, 2, 3]
    assert one.controls_at(209) == Controls()
    assert one.controls_at(210) == Controls(keys_mute=True)
    assert one.controls_at(300) == Controls(keys_mute=True, tempo=72)
    assert [change.values for change in one.changes_between(210, 301)] == [{"tempo": 70.0}, {"tempo": 72.0}]


def test_a_mood_that_waits_for_its_loop_is_taken_back_by_another_and_comes_earlier_with_a_skip() -> None:
    one = run()
    one.changed({"mood": Landing(8, 800), "keys_mute": Landing(2, 210)}, {"mood": "sad", "keys_mute": True})
    one.changed({"tempo": Landing(3, 300)}, {"tempo": 110.0})
    one.changed({"mood": Landing(8, 700)}, {"mood": "warm"})  # the same loop, which the tempo has brought nearer
    assert [(each.at.bar, each.values) for each in one.changes] == [
        (2, {"keys_mute": True}),
        (3, {"tempo": 110.0}),
        (8, {"mood": "warm"}),
    ]
    one.skipped(Landing(4, 400))
    one.skipped(Landing(5, 500))
    assert [(each.at.bar, each.values, each.skip) for each in one.changes][2:] == [
        (4, {"mood": "warm"}, True),
        (5, {}, True),
    ]
    assert (one.controls_at(399).mood, one.controls_at(400).mood) == ("any", "warm")


def test_a_log_that_is_too_long_says_so_and_stays_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "CHANGES", 3)
    one = run()
    for tempo in range(60, 70):
        one.changed({"tempo": Landing(tempo, tempo)}, {"tempo": float(tempo)})
    assert (len(one.changes), one.whole) == (3, False)
    assert one.controls.tempo == 66
    assert one.controls_at(1_000).tempo == 69


def test_the_newest_comes_first_with_the_life_it_belongs_to() -> None:
    runs = [run(), run(number=1, origin=250, settings=settings(seed=6))]
    tracks = [AiredTrack(frame, {"title": str(frame)}, 0.0, bar=frame // 10) for frame in (0, 100, 200, 250, 350)]
    runs[0].changed({"tempo": Landing(12, 120)}, {"tempo": 70.0})
    found: Any = history.as_json(tracks, runs, live=400, limit=4)
    assert [(each["frame"], each["seed"], each["run"]) for each in found["tracks"]] == [
        (350, 6, 1),
        (250, 6, 1),
        (200, 5, 0),
        (100, 5, 0),
    ]
    assert [each["controls"]["tempo"] for each in found["tracks"]] == [80.0, 80.0, 70.0, 80.0]
    assert [each["changes"] for each in found["tracks"]] == [
        [],
        [],
        [],
        [{"bar": 12, "frame": 120, "controls": {"tempo": 70.0}, "skip": False}],
    ]
    assert [each["number"] for each in found["runs"]] == [1, 0]
    assert str(Path.cwd()) not in str(found)
    found = history.as_json(tracks, runs[1:], live=400, limit=4)
    assert [each["frame"] for each in found["tracks"]] == [350, 250]


def test_a_station_that_has_played_nothing_has_no_history() -> None:
    assert history.as_json([], [], live=0, limit=5) == {"tracks": [], "runs": []}


def test_only_what_shapes_the_music_is_told(shipped: StationSettings) -> None:
    said = run(settings=shipped).as_json()
    assert set(said["settings"]) == {  # type: ignore[arg-type]
        *("title", "style", "progressions", "keys", "soundfont", "keys_program", "bass_program", "drum_kit"),
        *("loops", "tone", "engine", "timing"),
    }
    assert "push" not in json.dumps(said)
    assert str(shipped.piano.parent) not in json.dumps(said)


def test_a_long_history_is_told_at_once() -> None:
    """Nine hours of tracks, and as many changes as are kept: it is told on the event loop."""
    one = run()
    for number in range(history.CHANGES):
        one.changed({"tempo": Landing(number, number * 100)}, {"tempo": 50.0 + number % 60})
    tracks = [AiredTrack(number * 1_600, {"title": str(number)}, 0.0) for number in range(TRACKS)]
    began = time.process_time()
    found: Any = history.as_json(tracks, [one], live=TRACKS * 1_600, limit=TRACKS)
    assert time.process_time() - began < 0.5
    assert [each["controls"]["tempo"] for each in found["tracks"][:-3:-1]] == [50.0, 66.0]
    assert sum(len(each["changes"]) for each in found["tracks"]) == history.CHANGES - TRACKS


async def test_history_over_http_through_a_restart() -> None:
    async with on_air(settings(seed=5)) as radio:
        await patch(radio, '{"tempo": 71}')
        assert radio.tone.pid is not None
        os.kill(radio.tone.pid, signal.SIGKILL)
        await until(lambda: len(radio.tone.now_playing.tracks) == 2)
        status, found = await get(radio, "/api/stations/tone/history?limit=5")
        assert status == 200
        second, first = found["tracks"]
        assert (first["title"], second["title"]) == ("Tone 1 of seed 5", "Tone 1 of seed 6")
        assert (first["seed"], second["seed"], first["bar"]) == (5, 6, 1)
        assert [change["controls"] for run in found["runs"] for change in run["changes"]] == [{"tempo": 71.0}]
        assert [run["controls"]["tempo"] for run in found["runs"]] == [71.0, 80.0]
        assert second["frame"] == found["runs"][0]["frame"]
        assert len(found["runs"][0]["checkpoints"]["piano"]["sha256"]) == 64
        assert len((await get(radio, "/api/stations/tone/history?limit=1"))[1]["tracks"]) == 1
        for bad in ("0", "257", "1.5", "nan", "two", "٣", "1" * 5_000):
            status, answer = await get(radio, f"/api/stations/tone/history?limit={bad}")
            assert (status, answer["error"]["field"]) == (422, "limit")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> StationSettings:
    folder = tmp_path_factory.mktemp("models")
    for part in ("piano", "drums"):
        checkpoint.write(folder / f"{part}.safetensors", random_model(part))
    chill = load(STATIONS).stations["chill"]
    return replace(chill, piano=folder / "piano.safetensors", drums=folder / "drums.safetensors")


def test_a_life_is_composed_again_from_its_record(shipped: StationSettings) -> None:
    """What the history says is enough: the seed, the controls at first, and the bars from which changes count."""

    def composed(seed: int, first: Controls, changes: list[dict[str, Any]], bars: int) -> list[Bar]:
        composer, controls, found = open_composer(shipped, seed), first, []
        for number in range(bars):
            for change in changes:
                if change["bar"] == number:
                    controls = controls.changed(change["controls"])
                    if change["skip"]:
                        composer.skip()
            found.append(composer.next_bar(controls))
        return found

    one = run(settings=replace(shipped, seed=9))
    one.changed({"temperature": Landing(2, 200)}, {"temperature": 0.4})
    one.changed({"density": Landing(3, 300)}, {"density": 0.9})
    composer, aired = open_composer(shipped, 9), []
    for number in range(5):
        changed: dict[str, Any] = {"temperature": 0.4 if number >= 2 else 1.0, "density": 0.9 if number >= 3 else 0.5}
        if number >= 1:
            changed["mood"] = "sad"
        if number == 1:
            one.changed({"mood": Landing(composer.next_loop, 400)}, changed)
        if number == 3:
            assert composer.next_loop > number  # the skip brings the mood earlier than was said
            composer.skip()
            one.skipped(Landing(3, 300))
        aired.append(composer.next_bar(shipped.controls.changed(changed)))
    said: Any = one.as_json()
    changes = said["changes"]
    assert composed(said["seed"], Controls(**said["controls"]), changes, 5) == aired
    assert composed(said["seed"], Controls(**said["controls"]), [], 5) != aired
