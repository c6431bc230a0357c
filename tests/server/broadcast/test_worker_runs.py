from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from radio.compose.bar import Bar
from radio.model.weights import checkpoint
from radio.paths import STATIONS
from radio.server.api.body import encode
from radio.server.api.controls import ControlEvent
from radio.server.api.events import TrackEvent, read_event
from radio.server.broadcast import worker_runs
from radio.server.broadcast.now_playing import MAX_TRACKS, AiredTrack
from radio.server.broadcast.worker_runs import WorkerRun, history
from radio.settings.config import load
from radio.settings.controls import Controls
from radio.settings.station import StationSettings
from radio.station.factory import open_composer
from radio.types import SKIP, Action, Landing
from tests.model.models import checkpoint as random_model
from tests.server.on_air import on_air, until
from tests.server.routes.test_stations import get, patch
from tests.server.tone_worker import settings, track_event


def run(**changes: Any) -> WorkerRun:
    fields = {"number": 0, "settings": settings(seed=5), "started": 0.0, "origin": 0, "digests": {}} | changes
    return WorkerRun(**fields)


def aired_track(frame: int, bar: int | None = None) -> AiredTrack:
    event = read_event(track_event(frame, title=str(frame)))
    assert isinstance(event, TrackEvent)
    return AiredTrack(event, 0.0, bar)


def as_json(body: object) -> Any:
    return json.loads(encode(body))


def test_changes_take_effect_where_they_land() -> None:
    one = run()
    one.change_controls({"tempo": Landing(3, 300), "keys_mute": Landing(2, 210)}, {"tempo": 70.0, "keys_mute": True})
    one.change_controls({"tempo": Landing(3, 300)}, {"tempo": 72.0})
    assert [change.bar for change in one.changes] == [3, 2, 3]
    assert one.controls_at(209) == Controls()
    assert one.controls_at(210) == Controls(keys_mute=True)
    assert one.controls_at(300) == Controls(keys_mute=True, tempo=72)
    assert [change.controls for change in one.changes_between(210, 301)] == [{"tempo": 70.0}, {"tempo": 72.0}]


def test_a_pending_mood_is_replaced_by_the_next_one_and_brought_forward_by_a_skip() -> None:
    one = run()
    one.change_controls({"mood": Landing(8, 800), "keys_mute": Landing(2, 210)}, {"mood": "sad", "keys_mute": True})
    one.change_controls({"tempo": Landing(3, 300)}, {"tempo": 110.0})
    one.change_controls({"mood": Landing(8, 700)}, {"mood": "warm"})  # the same loop, which is nearer at the new tempo
    assert [(change.bar, change.controls) for change in one.changes] == [
        (2, {"keys_mute": True}),
        (3, {"tempo": 110.0}),
        (8, {"mood": "warm"}),
    ]
    one.act(Landing(4, 400), SKIP)
    one.act(Landing(5, 500), SKIP)
    assert [(change.bar, change.controls, change.action) for change in one.changes][2:] == [
        (4, {"mood": "warm"}, "skip"),
        (5, {}, "skip"),
    ]
    assert (one.controls_at(399).mood, one.controls_at(400).mood) == ("any", "warm")


def test_steps_that_are_rendered_again_are_recorded_once() -> None:
    one = run()
    at = {"tempo": Landing(3, 300), "keys_level": Landing(2, 250)}
    one.change_controls(at, {"tempo": 70.0, "keys_level": -3.0})
    one.expect(at, [{"tempo": 72.0}, {"tempo": 74.0, "swing": 60.0}, {"tempo": 76.0}])

    def make(step: int) -> None:
        for frame, values in [(400, {"tempo": 72.0}), (500, {"tempo": 74.0, "swing": 60.0}), (600, {"tempo": 76.0})][
            step:
        ]:
            one.record_step(ControlEvent({"frame": frame, **values}))

    make(0)
    expected = list(one.changes)
    assert [change.frame for change in expected] == [300, 250, 400, 500, 600]
    version = one.version
    one.retract(450)
    assert [change.frame for change in one.changes] == [300, 250, 400]
    assert one.version > version
    make(1)
    assert list(one.changes) == expected
    one.retract(450)
    one.change_controls({"tempo": Landing(5, 480)}, {"tempo": 90.0})  # the remaining steps are dropped
    make(1)
    assert [dict(change.controls) for change in one.changes][3:] == [{"tempo": 90.0}, {"swing": 60.0}]


def test_old_changes_are_merged_into_the_initial_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_runs, "MAX_CHANGES", 3)
    one = run()
    for tempo in range(60, 70):
        one.change_controls({"tempo": Landing(tempo, tempo)}, {"tempo": float(tempo)})
    assert (len(one.changes), one.whole) == (3, False)
    assert one.controls.tempo == 66
    assert one.controls_at(1_000).tempo == 69


def test_the_newest_track_comes_first_with_its_run() -> None:
    runs = [run(), run(number=1, origin=250, settings=settings(seed=6))]
    tracks = [aired_track(frame, bar=frame // 10) for frame in (0, 100, 200, 250, 350)]
    runs[0].change_controls({"tempo": Landing(12, 120)}, {"tempo": 70.0})
    body = as_json(history(tracks, runs, live=400, limit=4))
    assert [(track["frame"], track["seed"], track["run"]) for track in body["tracks"]] == [
        (350, 6, 1),
        (250, 6, 1),
        (200, 5, 0),
        (100, 5, 0),
    ]
    assert [track["controls"]["tempo"] for track in body["tracks"]] == [80.0, 80.0, 70.0, 80.0]
    assert [track["changes"] for track in body["tracks"]] == [
        [],
        [],
        [],
        [{"bar": 12, "frame": 120, "controls": {"tempo": 70.0}, "action": None, "track": None, "prime": None}],
    ]
    assert [run["number"] for run in body["runs"]] == [1, 0]
    assert str(Path.cwd()) not in str(body)
    body = as_json(history(tracks, runs[1:], live=400, limit=4))
    assert [track["frame"] for track in body["tracks"]] == [350, 250]


def test_a_station_that_has_played_nothing_has_no_history() -> None:
    body = as_json(history([], [], live=0, limit=5))
    assert (body["tracks"], body["runs"]) == ([], [])


def test_a_run_records_only_settings_that_shape_the_music(shipped: StationSettings) -> None:
    body = as_json(run(settings=shipped).body())
    assert set(body["settings"]) == {
        *("title", "style", "progressions", "keys", "soundfont", "keys_program", "bass_program", "lead_programs"),
        *("drum_kit", "loops", "tone", "engine", "timing", "tempo_spread", "layers", "textures"),
        *("ambience", "prime", "prime_part", "prime_leaves"),
    }
    assert "push" not in json.dumps(body)
    assert str(shipped.piano.parent) not in json.dumps(body)


def test_a_long_history_is_encoded_quickly() -> None:
    """The history is encoded on the event loop: nine hours of tracks and the most changes that are kept."""
    one = run()
    for number in range(worker_runs.MAX_CHANGES):
        one.change_controls({"tempo": Landing(number, number * 100)}, {"tempo": 50.0 + number % 60})
    tracks = [aired_track(number * 1_600) for number in range(MAX_TRACKS)]
    began = time.process_time()
    encoded = encode(history(tracks, [one], live=MAX_TRACKS * 1_600, limit=MAX_TRACKS))
    assert time.process_time() - began < 0.5
    body = json.loads(encoded)
    assert [track["controls"]["tempo"] for track in body["tracks"][:-3:-1]] == [50.0, 66.0]
    assert sum(len(track["changes"]) for track in body["tracks"]) == worker_runs.MAX_CHANGES - MAX_TRACKS


def test_a_run_names_the_tuned_state_of_its_station() -> None:
    tuned = settings(piano_state=Path("states/rainy.safetensors"))
    checkpoints = as_json(run(settings=tuned, digests={"piano_state": "ab"}).body())["checkpoints"]
    assert checkpoints["piano_state"] == {"name": "rainy.safetensors", "sha256": "ab"}
    assert checkpoints["drums_state"] is None


async def test_the_history_over_http_continues_when_the_worker_restarts() -> None:
    async with on_air(settings(seed=5)) as radio:
        await patch(radio, '{"tempo": 71}')
        assert radio.tone.pid is not None
        await until(lambda: radio.tone.edge.reserve > 15)  # the next worker is in time even on a busy machine
        os.kill(radio.tone.pid, signal.SIGKILL)
        await until(lambda: len(radio.tone.now_playing.tracks) == 2, 90)
        status, body = await get(radio, "/api/stations/tone/history?limit=5")
        assert status == 200
        second, first = body["tracks"]
        assert (first["title"], second["title"]) == ("Tone 1 of seed 5", "Tone 2 of seed 5")
        assert (first["bar"], second["bar"]) == (1, 9)
        (run,) = body["runs"]  # the next worker continued the same piece
        assert (run["seed"], run["controls"]["tempo"]) == (5, 80.0)
        assert [change["controls"] for change in run["changes"]] == [{"tempo": 71.0}]
        assert len(run["checkpoints"]["piano"]["sha256"]) == 64
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


@pytest.mark.usefixtures("two_candidates")
def test_a_run_can_be_composed_again_from_its_record(shipped: StationSettings) -> None:
    """The history suffices: the seed, the initial controls, and the bars at which changes take effect."""

    def compose(seed: int, first: Controls, changes: list[dict[str, Any]], bars: int) -> list[Bar]:
        composer, controls, bar_list = open_composer(shipped, seed), first, []
        for number in range(bars):
            for change in changes:
                if change["bar"] == number:
                    controls = controls.changed(change["controls"])
                    if change["action"]:
                        composer.act(Action(change["action"], change["track"]), controls)
            bar_list.append(composer.next_bar(controls))
        return bar_list

    one = run(settings=replace(shipped, seed=9))
    one.change_controls({"temperature": Landing(2, 200)}, {"temperature": 0.4})
    one.change_controls({"density": Landing(3, 300)}, {"density": 0.9})
    composer, aired = open_composer(shipped, 9), []
    for number in range(5):
        changed: dict[str, Any] = {"temperature": 0.4 if number >= 2 else 1.0, "density": 0.9 if number >= 3 else 0.5}
        if number >= 1:
            changed["mood"] = "sad"
        if number == 1:
            one.change_controls({"mood": Landing(composer.next_loop, 400)}, changed)
        if number == 3:
            assert composer.next_loop > number  # the skip brings the mood forward
            composer.act(SKIP, shipped.controls.changed(changed))
            one.act(Landing(3, 300), SKIP)
        aired.append(composer.next_bar(shipped.controls.changed(changed)))
    record = as_json(one.body())
    changes = record["changes"]
    assert compose(record["seed"], Controls(**record["controls"]), changes, 5) == aired
    assert compose(record["seed"], Controls(**record["controls"]), [], 5) != aired
