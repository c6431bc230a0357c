from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from radio.server.http.authorization import Authorization
from radio.server.http.body import MAX_BODY
from radio.server.routes.listen import EndlessResponse
from radio.settings.controls import CONTROLS
from radio.types import SAMPLE_RATE
from tests.server.on_air import DEADLINE, OnAir, on_air, until
from tests.server.tone_worker import settings


async def get(radio: OnAir, path: str) -> tuple[int, Any]:
    async with radio.http.get(radio.root + path) as response:
        assert response.content_type == "application/json"
        return response.status, await response.json()


async def patch(radio: OnAir, body: str | bytes, station: str = "tone", **headers: str) -> tuple[int, Any]:
    address = f"{radio.root}/api/stations/{station}/controls"
    async with radio.http.patch(address, data=body, headers={"Content-Type": "application/json"} | headers) as response:
        assert response.content_type == "application/json"
        return response.status, await response.json()


async def test_stations_are_listed_and_described() -> None:
    async with on_air(settings(), settings("other", description="x")) as radio:
        await until(lambda: len(radio.tone.now_playing.bars) > 0)
        status, listed = await get(radio, "/api/stations")
        assert status == 200
        assert [station["name"] for station in listed["stations"]] == ["tone", "other"]
        status, one = await get(radio, "/api/stations/tone")
        assert status == 200
        assert (one["title"], one["description"], one["on_air"]) == ("Station tone", "a tone", True)
        assert one["now"]["track"]["title"] == "Tone 1 of seed 1"
        assert one["now"]["track"]["frame"] == 0
        assert one["now"]["track"]["started_at"].endswith("+00:00")
        assert one["now"]["bar"]["chord"] == "Am7"
        streams = {"opus": "/tone.opus", "mp3": "/tone.mp3", "aac": "/tone.aac", "hls": "/tone/hls/index.m3u8"}
        assert one["streams"] == streams
        assert one["listeners"] == 0
        assert set(one["controls"]) == set(CONTROLS)
        tempo = one["controls"]["tempo"]
        assert (tempo["value"], tempo["low"], tempo["high"], tempo["unit"]) == (80.0, 50, 110, "BPM")
        assert one["health"]["underruns"] == radio.tone.edge.underruns


async def test_a_bar_is_current_when_it_is_audible() -> None:
    async with on_air() as radio:
        edge = radio.tone.edge
        await until(lambda: edge.live > SAMPLE_RATE and edge.reserve > 2)
        for _ in range(10):
            frame = radio.tone.now_playing.bars[-1].frame
            assert edge.live - SAMPLE_RATE - 3_840 <= frame < edge.live
            await asyncio.sleep(0.1)


async def test_a_change_returns_the_bar_and_frame_where_it_takes_effect() -> None:
    async with on_air() as radio:
        status, answer = await patch(radio, '{"temperature": 0.6, "keys_mute": true}')
        assert status == 200
        assert answer["sample_rate"] == SAMPLE_RATE
        for name, value in (("temperature", 0.6), ("keys_mute", True)):
            landing = answer["controls"][name]
            assert landing["value"] == value
            assert landing["frame"] // SAMPLE_RATE == landing["bar"] - 1
            assert landing["frame"] >= answer["live"]
        assert answer["controls"]["temperature"]["frame"] % SAMPLE_RATE == 0  # a bar line
        _, one = await get(radio, "/api/stations/tone")
        assert one["controls"]["temperature"]["value"] == 0.6
        assert one["controls"]["tempo"]["value"] == 80.0


async def test_a_skip_begins_the_next_track_at_the_returned_bar() -> None:
    async with on_air(authorization=Authorization(control=True, token="sesame")) as radio:
        address = f"{radio.root}/api/stations/tone/skip"
        async with radio.http.post(address) as response:
            assert response.status == 401
        async with radio.http.post(address, headers={"Authorization": "Bearer sesame"}) as response:
            answer = await response.json()
            assert response.status == 200
        assert answer["frame"] == (answer["bar"] - 1) * SAMPLE_RATE
        assert answer["frame"] >= answer["live"]
        await until(lambda: len(radio.tone.now_playing.tracks) == 2)
        assert (radio.tone.now_playing.tracks[-1].frame, radio.tone.now_playing.tracks[-1].bar) == (
            answer["frame"],
            answer["bar"],
        )
        _, past = await get(radio, "/api/stations/tone/history")
        assert [change["action"] for change in past["runs"][0]["changes"]] == ["skip"]


async def test_actions_land_at_a_bar_and_are_recorded_but_an_unknown_track_is_refused() -> None:
    async with on_air() as radio:
        await until(lambda: len(radio.tone.now_playing.tracks) > 0)
        number = radio.tone.now_playing.tracks[-1].event.number
        for path, body in (("like", None), ("dislike?track=0", None), ("reset", None), ("section", {"action": "hold"})):
            async with radio.http.post(f"{radio.root}/api/stations/tone/{path}", json=body) as response:
                answer = await response.json()
                assert (response.status, answer["frame"]) == (200, (answer["bar"] - 1) * SAMPLE_RATE)
        _, past = await get(radio, "/api/stations/tone/history")
        recorded = [(change["action"], change["track"]) for change in past["runs"][0]["changes"]]
        assert recorded == [("like", number), ("dislike", 0), ("reset", None), ("hold", None)]
        async with radio.http.post(f"{radio.root}/api/stations/tone/like?track=99") as response:
            assert (response.status, (await response.json())["error"]["field"]) == (422, "track")
        async with radio.http.post(f"{radio.root}/api/stations/tone/section", json={"action": "stay"}) as response:
            assert response.status == 422


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ('{"tempo": 400}', 422, "not_allowed", "tempo"),
        ('{"tempo": 70, "temperature": "hot"}', 422, "not_allowed", "temperature"),
        ('{"tmepo": 70}', 422, "not_allowed", "tmepo"),
        ('{"tempo": true}', 422, "not_allowed", "tempo"),
        ("{}", 422, "not_allowed", "body"),
        ("[1]", 422, "not_allowed", "body"),
        ("null", 422, "not_allowed", "body"),
        ('{"tempo": NaN}', 400, "bad_json", None),
        ('{"tempo": 1e999}', 422, "not_allowed", "tempo"),
        (f'{{"tempo": 1{"0" * 400}}}', 422, "not_allowed", "tempo"),
        (f'{{"top_k": -1{"0" * 400}}}', 422, "not_allowed", "top_k"),
        ("{", 400, "bad_json", None),
        ("", 400, "bad_json", None),
        (b"\xff\xfe\xff", 400, "bad_json", None),
        ("[" * 9_000, 400, "bad_json", None),
        ("x" * (MAX_BODY + 1), 413, "too_large", None),
    ],
)
async def test_an_invalid_change_is_refused_and_changes_nothing(
    body: str | bytes, status: int, code: str, field: str | None
) -> None:
    async with on_air() as radio:
        before = radio.tone.controls
        got, answer = await patch(radio, body)
        assert (got, answer["error"]["code"]) == (status, code)
        assert answer["error"]["message"]
        if field is not None:
            assert answer["error"]["field"] == field
            assert answer["error"]["allowed"]
        assert radio.tone.controls == before
        assert (await patch(radio, '{"tempo": 81}'))[0] == 200


async def test_unknown_stations_and_addresses_are_not_found() -> None:
    async with on_air() as radio:
        for path in ("/tona.opus", "/api/stations/tona", "/api/stations/tona/events"):
            status, answer = await get(radio, path)
            assert (status, answer["error"]["code"]) == (404, "unknown_station")
            assert "Did you mean 'tone'" in answer["error"]["message"]
            assert answer["error"]["allowed"] == "tone"
        status, answer = await get(radio, "/nowhere")
        assert (status, answer["error"]["code"]) == (404, "not_found")
        async with radio.http.post(f"{radio.root}/api/stations") as response:
            assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD")
            assert (await response.json())["error"]["code"] == "method_not_allowed"


async def test_a_token_is_required_from_every_address() -> None:
    """Behind a proxy on this machine, all clients have a local address."""
    async with on_air(authorization=Authorization(control=True, token="sesame")) as radio:
        body = '{"tempo": 70}'
        status, answer = await patch(radio, body)
        assert (status, answer["error"]["code"], answer["error"]["field"]) == (401, "no_token", "Authorization")
        assert "sesame" not in json.dumps(answer)
        for wrong in ("Bearer sesam", "sesame", "Basic sesame", "Bearer ü"):
            assert (await patch(radio, body, Authorization=wrong))[0] == 401
        assert (await patch(radio, body, Authorization="Bearer sesame"))[0] == 200
        reader, writer = await asyncio.open_connection(radio.host, radio.port)
        writer.write(b"PATCH /api/stations/tone/controls HTTP/1.0\r\nAuthorization: Bearer \xfc\r\n\r\n")  # not UTF-8
        assert b" 401 " in await asyncio.wait_for(reader.readline(), DEADLINE)
        writer.close()
        await writer.wait_closed()


async def test_the_log_names_the_address_behind_each_change_and_each_wrong_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "radio")
    async with on_air(authorization=Authorization(control=True, token="sesame")) as radio:
        await patch(radio, '{"tempo": 70, "rain_mute": false}', Authorization="Bearer sesame")
        await patch(radio, '{"tempo": 90}', Authorization="Bearer guess")
        await patch(radio, '{"tempo": 90}')  # a page asks without a token to see whether it needs one
        headers = {"Authorization": "Bearer sesame", "Content-Type": "application/json"}
        for text in ("no drums", "purple elephants"):
            address, body = f"{radio.root}/api/stations/tone/prompt", json.dumps({"text": text})
            async with radio.http.post(address, data=body, headers=headers) as response:
                assert response.status == 200
    lines = [record.getMessage() for record in caplog.records if record.name == "radio.server"]
    assert lines == [
        "station 'tone': tempo=70, rain_mute=False, requested by 127.0.0.1",
        "a wrong control token from 127.0.0.1",
        "station 'tone': drums_mute=True, requested by 127.0.0.1",
    ]


async def test_disabled_controls_cannot_be_changed_even_with_a_token() -> None:
    async with on_air(authorization=Authorization(control=False, token="sesame")) as radio:
        status, answer = await patch(radio, '{"tempo": 70}', Authorization="Bearer sesame")
        assert (status, answer["error"]["code"]) == (403, "control_off")


async def test_a_station_that_is_not_on_the_air_is_unavailable() -> None:
    async with on_air(start=False) as radio:
        status, answer = await patch(radio, '{"tempo": 70}')
        assert (status, answer["error"]["code"]) == (503, "unavailable")
        assert (await get(radio, "/healthz"))[0] == 200
        status, answer = await get(radio, "/readyz")
        assert (status, answer["ok"], answer["stations"]) == (503, False, {"tone": False})
        assert answer["error"] == {"code": "not_ready", "message": "not on the air: tone"}
        await radio.tone.start()
        await until(lambda: radio.tone.edge.reserve > 0)
        assert await get(radio, "/readyz") == (200, {"ok": True, "stations": {"tone": True}})


async def test_controls_survive_a_restart_of_the_worker() -> None:
    async with on_air() as radio:
        assert (await patch(radio, '{"tempo": 71}'))[0] == 200
        assert radio.tone.pid is not None
        os.kill(radio.tone.pid, signal.SIGKILL)
        await until(lambda: radio.tone.restarts == 1 and radio.tone.pid is not None)
        status, answer = await patch(radio, '{"tempo": 400}')
        assert status == 422
        status, _ = await patch(radio, '{"swing": 61}')
        assert status == 200  # it waits for the new worker
        _, one = await get(radio, "/api/stations/tone")
        assert one["controls"]["tempo"]["value"] == 71
        seam = radio.tone.edge.live + int(radio.tone.edge.reserve * SAMPLE_RATE)
        await until(lambda: radio.tone.edge.live > seam)
        status, answer = await patch(radio, '{"swing": 60}')
        assert status == 200
        assert answer["controls"]["swing"]["frame"] > answer["live"]


async def test_events_are_sent_when_they_air() -> None:
    async with on_air() as radio:
        await until(lambda: len(radio.tone.now_playing.bars) > 0)
        await follow(radio)


async def follow(radio: OnAir) -> None:
    async with radio.http.get(f"{radio.root}/api/stations/tone/events") as response:
        assert response.content_type == "text/event-stream"
        seen: list[tuple[str, Any]] = []
        async with asyncio.timeout(DEADLINE):
            while len(seen) < 7:
                kind = (await response.content.readline()).decode().removeprefix("event: ").strip()
                data = (await response.content.readline()).decode().removeprefix("data: ")
                assert await response.content.readline() == b"\n"
                seen.append((kind, json.loads(data)))
                if kind != "now":
                    assert seen[-1][1]["frame"] < radio.tone.edge.live
        assert seen[0][0] == "now"
        assert "controls" in seen[0][1]
        recent = seen[0][1]["recent"]
        assert [event["kind"] for event in recent] == ["track", *["bar", "note"] * (len(recent) // 2)]
        assert recent[-1]["frame"] < seen[0][1]["live"]
        frames = [data["frame"] for kind, data in seen[1:]]
        assert frames == sorted(frames)
        assert {"bar", "note"} <= {kind for kind, _ in seen}


async def test_the_event_stream_of_a_sid_reports_the_first_frame() -> None:
    async with on_air() as radio:
        await until(lambda: radio.tone.edge.live > 0)
        radio.tone.record_stream_start("before", 960)
        for sid, first in (("before", 960), ("after", 1_920)):
            async with radio.http.get(f"{radio.root}/api/stations/tone/events?sid={sid}") as response:
                if sid == "after":
                    await response.content.readuntil(b"\n\n")
                    radio.tone.record_stream_start("after", 1_920)
                async with asyncio.timeout(DEADLINE):
                    while await response.content.readline() != b"event: stream\n":
                        pass
                    start = json.loads((await response.content.readline()).removeprefix(b"data: "))
                assert (start["sid"], start["first"]) == (sid, first)
                assert start["live"] >= 0
        _, one = await get(radio, "/api/stations/tone?sid=after")
        assert one["stream"] == {"sid": "after", "first": 1_920}
        _, one = await get(radio, "/api/stations/tone?sid=never")
        assert one["stream"] == {"sid": "never", "first": None}
        for bad in ("", "a b", "x" * 65, "%C3%BC", "a%0Ab"):
            status, answer = await get(radio, f"/api/stations/tone/events?sid={bad}")
            assert (status, answer["error"]["field"]) == (422, "sid")


async def test_a_client_that_disconnects_before_the_response_is_not_added(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare = EndlessResponse.prepare
    prepared: set[str] = set()
    joined: list[str] = []

    async def prepared_too_late(self: EndlessResponse, request: web.BaseRequest) -> object:
        writer = await prepare(self, request)
        if request.transport is not None:
            request.transport.abort()
            prepared.add(request.path)
        return writer

    monkeypatch.setattr(EndlessResponse, "prepare", prepared_too_late)
    monkeypatch.setattr("radio.stream.relay.relay.Relay.join", lambda *_, **__: joined.append("listener"))
    monkeypatch.setattr(
        "radio.server.broadcast.event_stream.Subscribers.join", lambda *_, **__: joined.append("subscriber")
    )
    paths = {"/tone.opus", "/api/stations/tone/events"}
    async with on_air(start=False) as radio:
        for path in paths:
            with contextlib.suppress(aiohttp.ClientError):
                async with radio.http.get(radio.root + path) as response:
                    await response.read()
    assert (prepared, joined) == (paths, [])
