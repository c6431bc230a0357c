"""Tests of the nginx configuration in docs/scale.md."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from pathlib import Path

import aiohttp
import pytest

from radio.types import SAMPLE_RATE
from tests.server.nginx import nginx, nginx_of_two
from tests.server.on_air import DEADLINE, on_air
from tests.server.tone_worker import settings
from tests.stream.m3u8_reader import read_list


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use segments of half a second to keep the tests short."""
    monkeypatch.setattr("radio.stream.formats.hls.SEGMENT_FRAMES", SAMPLE_RATE // 2)


async def get(http: aiohttp.ClientSession, address: str) -> tuple[int, str, bytes]:
    """Return the status, the cache status and the body."""
    async with http.get(address) as response:
        return response.status, response.headers.get("X-Cache-Status", ""), await response.read()


async def test_a_cache_sends_one_request_for_all_clients(tmp_path: Path) -> None:
    async with on_air() as radio, nginx(tmp_path, radio.port) as root:
        hls = f"{root}/tone/hls"
        responses = await asyncio.gather(*(get(radio.http, f"{hls}/aac/index.m3u8") for _ in range(10)))
        assert [status for status, _, _ in responses] == [200] * 10
        assert sorted(cached for _, cached, _ in responses) == ["HIT"] * 9 + ["MISS"]
        assert len({body for _, _, body in responses}) == 1
        now = read_list(responses[0][2].decode())
        for name in (now.init, now.entries[0].uri):
            _, cached, first = await get(radio.http, f"{hls}/aac/{name}")
            assert cached == "MISS"
            for query in ("", "?x=1", "?x=2"):
                assert await get(radio.http, f"{hls}/aac/{name}{query}") == (200, "HIT", first)
        assert radio.tone.listeners == 1, "the radio counts all clients of the cache as one listener"


@pytest.mark.slow
async def test_a_cached_playlist_is_fresh(tmp_path: Path) -> None:
    async with on_air() as radio, nginx(tmp_path, radio.port) as root:
        seen = set()
        end = time.monotonic() + 6
        while time.monotonic() < end:
            status, cached, body = await get(radio.http, f"{root}/tone/hls/opus/index.m3u8")
            assert status == 200
            seen.add(cached)
            behind = time.time() - (read_list(body.decode()).entries[-1].number + 1) / 2
            # half a second until the next segment is complete, a second in the cache, another for the next request
            assert behind < 2.5 + 1
            await asyncio.sleep(0.1)
        assert "HIT" in seen
        assert seen & {"EXPIRED", "REVALIDATED", "STALE", "UPDATING"}


async def test_the_cache_serves_the_last_playlist_while_the_radio_is_down(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with on_air() as radio:
            root = await stack.enter_async_context(nginx(tmp_path, radio.port))
            address = f"{root}/tone/hls/aac/index.m3u8"
            status, _, body = await get(radio.http, address)
            assert status == 200
            segment = f"{root}/tone/hls/aac/{read_list(body.decode()).entries[0].uri}"
            assert (await get(radio.http, segment))[0] == 200
        async with aiohttp.ClientSession() as http, asyncio.timeout(DEADLINE):
            await asyncio.sleep(3.5)  # the list is fresh for a second, and nginx counts whole seconds
            assert await get(http, address) == (200, "STALE", body)
            assert (await get(http, segment))[:2] == (200, "HIT")
            assert (await get(http, f"{root}/tone/hls/opus/index.m3u8"))[0] == 502


async def test_streams_and_events_are_not_buffered(tmp_path: Path) -> None:
    async with on_air() as radio, nginx(tmp_path, radio.port) as root, asyncio.timeout(DEADLINE):
        async with radio.http.get(f"{root}/api/stations/tone/events") as events:
            bars = 0
            while bars < 2:
                name = await events.content.readline()
                data = await events.content.readline()
                await events.content.readline()
                if name == b"event: bar\n":
                    bars += 1
                    late = radio.tone.edge.live - json.loads(data.removeprefix(b"data: "))["frame"]
                    assert late < 5 * SAMPLE_RATE, "the event was buffered"
        async with radio.http.get(f"{root}/tone.opus?burst=0") as stream:
            assert stream.headers["Content-Type"] == "audio/ogg"
            start, size = radio.tone.edge.live, 0
            while radio.tone.edge.live - start < 2 * SAMPLE_RATE:
                size += len(await stream.content.readany())
            # at 12 kB/s, the first buffer of nginx (8 kB) would not be full yet
            assert size > 12_000


async def test_two_radios_behind_one_name_share_the_stations(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(on_air())
        async with on_air(settings("rain")) as second, asyncio.timeout(DEADLINE):
            root = await stack.enter_async_context(nginx_of_two(tmp_path, first.port, second.port))
            for radio, name in ((first, "tone"), (second, "rain")):
                channel = radio.channels[name]
                async with radio.http.get(f"{root}/{name}.opus?burst=2") as stream:
                    assert (await stream.content.readexactly(12_000))[:4] == b"OggS"
                    assert channel.listeners == 1
                status, _, body = await get(radio.http, f"{root}/{name}/hls/aac/index.m3u8")
                assert status == 200
                segment = f"{root}/{name}/hls/aac/{read_list(body.decode()).entries[0].uri}"
                assert (await get(radio.http, segment))[0] == 200
                assert json.loads((await get(radio.http, f"{root}/api/stations/{name}"))[2])["name"] == name
                async with radio.http.patch(f"{root}/api/stations/{name}/controls", json={"tempo": 71}) as answer:
                    assert answer.status == 200
                assert channel.controls.tempo == 71
            status, _, body = await get(first.http, f"{root}/api/stations")
            assert [station["name"] for station in json.loads(body)["stations"]] == ["tone"]
        assert (await get(first.http, f"{root}/api/stations/rain"))[0] == 502
        assert (await get(first.http, f"{root}/api/stations/tone"))[0] == 200
