"""Tracks made to order: the body of an order, authorization, the files, and their deletion."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from radio.music.instruments import NAMES
from radio.paths import STATIONS as SHIPPED
from radio.server.api.tracks import TrackOrder
from radio.server.http.authorization import Authorization
from radio.server.http.problems import ProblemError
from radio.server.http.validation import read_object
from radio.server.routes import tracks
from radio.server.routes.track_orders import render_order, station_names
from radio.settings.config import load
from radio.settings.server import ServerSettings
from radio.station.extent import TimedExcerpt, WholeTracks
from radio.station.midi_export import write_midi
from radio.station.score import compose
from radio.station.tasks import RenderOrder
from tests.server.on_air import DEADLINE, OnAir, ffmpeg, on_air, until

STATIONS = load(SHIPPED).stations
CHILL = STATIONS["chill"]


def order(**fields: Any) -> RenderOrder:
    body = read_object(fields, TrackOrder, allowed={"station": station_names(STATIONS)})
    return render_order(body, STATIONS)


def test_an_order_overrides_the_stations_settings() -> None:
    render = order(
        station="chill",
        instrument="vibraphone",
        seconds=30,
        count=3,
        seed=7,
        formats=["mid", "mp3"],
        controls={"temperature": 0.5, "drums_mute": True},
    )
    assert render.settings.keys_program == 11
    assert render.settings.controls == CHILL.controls.changed({"temperature": 0.5, "drums_mute": True})
    assert (render.extent, render.seeds, render.suffixes) == (TimedExcerpt(30), (7, 8, 9), (".mp3", ".mid"))
    assert order(station="chill", tracks=3).extent == WholeTracks(3)


def test_defaults_are_the_stations_with_a_random_seed() -> None:
    orders = [order(station="chill") for _ in range(4)]
    assert all(item.settings == CHILL and item.extent == WholeTracks(1) for item in orders)
    assert all(len(item.seeds) == 1 for item in orders)
    assert len({item.seeds for item in orders}) > 1


def test_a_prompt_describes_the_music_and_explicit_fields_override_it() -> None:
    render = order(station="chill", prompt="72 bpm, no drums, felt piano, blorpy", instrument="vibraphone")
    assert (render.settings.controls.tempo, render.settings.controls.drums_mute) == (72, True)
    assert render.settings.keys_program == 11
    assert render.not_understood == ("blorpy",)
    render = order(station="chill", prompt="72 bpm", controls={"tempo": 80})
    assert render.settings.controls.tempo == 80


@pytest.mark.parametrize(
    ("fields", "field", "allowed"),
    [
        ({}, "station", "chill, study"),
        ({"station": "chil"}, "station", "chill"),
        ({"station": ["chill"]}, "station", "chill"),
        ({"tempo": 3}, "tempo", "station, prompt, instrument"),
        ({"instrument": "vibrafone"}, "instrument", "General MIDI"),
        ({"instrument": 128}, "instrument", "0 to 127"),
        ({"instrument": True}, "instrument", "0 to 127"),
        ({"instrument": None}, "instrument", "0 to 127"),
        ({"seconds": 4.9}, "seconds", "5 to 600"),
        ({"seconds": 601}, "seconds", "5 to 600"),
        ({"seconds": "60"}, "seconds", "5 to 600"),
        ({"seconds": 10**400}, "seconds", "5 to 600"),
        ({"tracks": 0}, "tracks", "1 to 8"),
        ({"tracks": 9}, "tracks", "1 to 8"),
        ({"tracks": 1, "seconds": 60}, "tracks", "no value together with seconds"),
        ({"count": 0}, "count", "1 to 8"),
        ({"count": 2.5}, "count", "1 to 8"),
        ({"count": True}, "count", "1 to 8"),
        ({"seed": -1}, "seed", "whole number"),
        ({"seed": 2**53}, "seed", "whole number"),
        ({"formats": []}, "formats", "mp3, mid"),
        ({"formats": "mp3"}, "formats", "mp3, mid"),
        ({"formats": ["ogg"]}, "formats", "mp3, mid"),
        ({"formats": [["mp3"]]}, "formats", "mp3, mid"),
        ({"formats": ["wav", "flac"], "seconds": 600, "count": 8}, "formats", "1000 MB"),
        ({"formats": ["wav", "flac"], "tracks": 8, "count": 8}, "formats", "1000 MB"),
        ({"controls": [1]}, "controls", "temperature"),
        ({"prompt": "blorpy"}, "prompt", "words about the music"),
        ({"controls": {"temperature": 3}}, "controls.temperature", "0 to 2"),
        ({"controls": {"tmpo": 3}}, "controls.tmpo", "tempo"),
    ],
)
def test_an_error_names_the_field_and_the_allowed_values(fields: dict[str, Any], field: str, allowed: str) -> None:
    with pytest.raises(ProblemError) as caught:
        order(**({"station": "chill", **fields} if fields else {}))
    assert (caught.value.status, caught.value.field) == (422, field)
    assert allowed in (caught.value.allowed or "")
    assert len(str(caught.value)) < 300


def test_the_longest_order_of_wav_files_fits() -> None:
    order(station="chill", formats=["wav", "mid"], seconds=600, count=8)
    order(station="chill", formats=["wav", "mid"], count=8)


async def call(radio: OnAir, method: str, path: str, **options: Any) -> tuple[int, Any]:
    async with radio.http.request(method, radio.root + path, **options) as response:
        kind = response.content_type
        return response.status, await response.json() if kind == "application/json" else await response.read()


async def done(radio: OnAir, name: str) -> dict[str, Any]:
    """Wait until an order is finished, and return its state; its progress must not decrease."""
    progress = [0.0]
    async with asyncio.timeout(4 * DEADLINE):
        while True:
            status, state = await call(radio, "GET", f"/api/tracks/{name}")
            assert status == 200
            progress.append(state["progress"])
            assert progress == sorted(progress)
            if state["state"] not in {"waiting", "running"}:
                return state  # type: ignore[no-any-return]
            await asyncio.sleep(0.1)  # as a page does: the API has no way to wait


async def test_an_order_is_made_downloaded_and_deleted(tmp_path: Path) -> None:
    async with on_air(CHILL, start=False) as radio:
        _, choices = await call(radio, "GET", "/api/tracks")
        assert choices["stations"]["chill"]["instrument"] == CHILL.keys_program
        assert 11 in choices["stations"]["chill"]["instruments"]
        body = {"station": "chill", "seconds": 5, "seed": 7, "formats": ["mp3", "mid"], "instrument": NAMES[11]}
        status, state = await call(radio, "POST", "/api/tracks", json=body)
        assert status == 202
        assert (state["state"], state["place"], state["files"]) == ("waiting", 0, [])
        assert (state["tracks"], state["seconds"]) == (None, 5)
        state = await done(radio, state["id"])
        assert (state["state"], state["fault"], state["instrument"], state["seeds"]) == (
            "done",
            None,
            "Vibraphone",
            [7],
        )
        assert [file["name"] for file in state["files"]] == ["chill-7.mp3", "chill-7.mid"]
        for file in state["files"]:
            async with radio.http.get(radio.root + file["url"]) as response:
                data = await response.read()
                assert response.headers["Content-Disposition"] == f'attachment; filename="{file["name"]}"'
            assert len(data) == file["bytes"]
            (tmp_path / file["name"]).write_bytes(data)
        pcm = await ffmpeg("-i", str(tmp_path / "chill-7.mp3"), "-f", "s16le", "-")
        assert len(pcm) / (4 * 48_000) == pytest.approx(5, abs=0.1)
        assert (tmp_path / "chill-7.mid").read_bytes()[:4] == b"MThd"
        for name in ("nothing.mp3", "..%2f..%2fetc%2fpasswd", "chill-8.mp3"):
            assert (await call(radio, "GET", f"/api/tracks/{state['id']}/{name}"))[0] == 404
        job = radio.app[tracks.TRACK_JOBS].get(state["id"])
        folder = job.folder
        (job.result / "chill-7.mid").unlink()  # as cleaners of temporary files do
        assert (await call(radio, "GET", f"/api/tracks/{state['id']}/chill-7.mid"))[0] == 404
        status, left = await call(radio, "GET", f"/api/tracks/{state['id']}")
        assert (status, [file["name"] for file in left["files"]]) == (200, ["chill-7.mp3"])
        assert (await call(radio, "DELETE", f"/api/tracks/{state['id']}"))[0] == 204
        await until(lambda: not folder.exists())
        assert (await call(radio, "GET", f"/api/tracks/{state['id']}"))[0] == 404


@pytest.mark.slow
async def test_an_order_without_a_length_is_a_whole_track(tmp_path: Path) -> None:
    async with on_air(CHILL, start=False) as radio:
        _, state = await call(
            radio, "POST", "/api/tracks", json={"station": "chill", "seed": 7, "formats": ["opus", "mid"]}
        )
        assert (state["tracks"], state["seconds"]) == (1, None)
        state = await done(radio, state["id"])
        assert [file["name"] for file in state["files"]] == ["chill-7.mid", "chill-7.opus"]
        for file in state["files"]:
            async with radio.http.get(radio.root + file["url"]) as response:
                (tmp_path / file["name"]).write_bytes(await response.read())
        score = compose(CHILL, 7, WholeTracks(1))
        pcm = await ffmpeg("-i", str(tmp_path / "chill-7.opus"), "-f", "s16le", "-ar", "48000", "-")
        assert len(pcm) / (4 * 48_000) == pytest.approx(score.frames / 48_000, abs=0.1)
        write_midi(score, tmp_path / "same.mid")
        assert (tmp_path / "chill-7.mid").read_bytes() == (tmp_path / "same.mid").read_bytes()


@pytest.mark.slow
async def test_deleting_the_running_order_starts_the_next() -> None:
    async with on_air(CHILL, start=False) as radio:
        long = {"station": "chill", "seconds": 600, "count": 8, "formats": ["wav"]}
        _, first = await call(radio, "POST", "/api/tracks", json=long)
        _, second = await call(
            radio, "POST", "/api/tracks", json={**long, "formats": ["mid"], "seconds": 5, "count": 1}
        )
        assert second["place"] == 1
        running = radio.app[tracks.TRACK_JOBS].get(first["id"])
        await until(lambda: running.progress > 0, 60)
        assert (await call(radio, "DELETE", f"/api/tracks/{first['id']}"))[0] == 204
        assert (await call(radio, "GET", f"/api/tracks/{first['id']}"))[0] == 404
        assert (await done(radio, second["id"]))["state"] == "done"


async def test_the_queue_of_orders_is_limited() -> None:
    async with on_air(CHILL, start=False) as radio:
        order = {"station": "chill", "seconds": 600, "formats": ["mid"]}
        answers = [await call(radio, "POST", "/api/tracks", json=order) for _ in range(tracks.MAX_WAITING + 2)]
        assert [status for status, _ in answers] == [202] * (tracks.MAX_WAITING + 1) + [503]
        assert "the queue is full" in answers[-1][1]["error"]["message"]


async def test_orders_need_the_control_token() -> None:
    order = {"station": "chill", "seconds": 5, "formats": ["mid"]}
    async with on_air(CHILL, start=False, authorization=Authorization(control=True, token="secret")) as radio:
        status, answer = await call(radio, "POST", "/api/tracks", json=order)
        assert (status, answer["error"]["code"]) == (401, "no_token")
        headers = {"Authorization": "Bearer secret"}
        status, state = await call(radio, "POST", "/api/tracks", json=order, headers=headers)
        assert status == 202
        assert (await call(radio, "DELETE", f"/api/tracks/{state['id']}"))[0] == 401
        assert (await call(radio, "DELETE", f"/api/tracks/{state['id']}", headers=headers))[0] == 204
    async with on_air(CHILL, start=False, server=ServerSettings(tracks=False)) as radio:
        for method, path in (("GET", "/api/tracks"), ("POST", "/api/tracks"), ("GET", "/api/tracks/x")):
            status, answer = await call(radio, method, path, json=order if method == "POST" else None)
            assert (status, answer["error"]["code"]) == (403, "tracks_off")
        assert (await call(radio, "GET", "/api/stations"))[1]["tracks"] is False


async def test_an_order_with_a_broken_soundfont_fails_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "bad.sf2").write_bytes(b"RIFF")
    async with on_air(replace(CHILL, soundfont=tmp_path / "bad.sf2"), start=False) as radio:
        assert (await call(radio, "GET", "/api/tracks"))[1]["stations"]["chill"]["instruments"] == []
        _, state = await call(radio, "POST", "/api/tracks", json={"station": "chill", "seconds": 5, "formats": ["wav"]})
        state = await done(radio, state["id"])
        assert state["state"] == "failed"
        assert "bad.sf2 is not a soundfont" in state["fault"]
