from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import av
import numpy as np
import pytest

from radio.errors import ServerError, StreamError
from radio.server.broadcast import hls_rendition as rendition
from radio.server.broadcast.channel import Channel
from radio.server.broadcast.hls_listeners import MAX_LISTENERS, SEEN_WITHIN, HlsListeners
from radio.server.routes.hls import HLS_RENDITIONS, TRACKS
from radio.settings.server import ServerSettings
from radio.types import SAMPLE_RATE, Format, Seconds
from tests.server.on_air import DEADLINE, WORKER, OnAir, on_air, until
from tests.server.tone_worker import settings
from tests.stream.m3u8_reader import MediaPlaylist, Player, read_list
from tests.stream.mp4_reader import read_fragment

NAMES: tuple[Format, ...] = ("aac", "opus")


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use segments of half a second to keep the tests short."""
    monkeypatch.setattr("radio.stream.formats.hls.SEGMENT_FRAMES", SAMPLE_RATE // 2)


async def fetch(radio: OnAir, path: str, **headers: str) -> tuple[int, Any, bytes]:
    async with radio.http.get(f"{radio.root}/tone/hls/{path}", headers=headers) as response:
        return response.status, response.headers, await response.read()


async def fetch_playlist(radio: OnAir, name: str) -> str:
    status, _, body = await fetch(radio, f"{name}/index.m3u8")
    assert status == 200, body
    return body.decode()


async def wait_for_segments(radio: OnAir, name: str, segments: int, deadline: Seconds = DEADLINE) -> MediaPlaylist:
    """Return the playlist once it has at least `segments` segments."""
    async with asyncio.timeout(deadline):
        while True:
            now = read_list(await fetch_playlist(radio, name))
            if len(now.entries) >= segments:
                return now
            await asyncio.sleep(0.2)


async def decode(radio: OnAir, name: Format, now: MediaPlaylist) -> tuple[int, Any]:
    """Return the start of the playlist's segments, in frames since 1970, and their left channel."""
    parts = [await fetch(radio, f"{name}/{file}") for file in (now.init, *(entry.uri for entry in now.entries))]
    assert {status for status, _, _ in parts} == {200}
    with av.open(io.BytesIO(b"".join(body for _, _, body in parts))) as container:
        frames = list(container.decode(audio=0))
    assert frames[0].pts is not None
    assert [frame.pts for frame in frames] == [frames[0].pts + n * TRACKS[name].packet for n in range(len(frames))]
    step = 1 if frames[0].format.is_planar else 2
    return frames[0].pts, np.concatenate([frame.to_ndarray()[0, ::step] for frame in frames])


@pytest.mark.parametrize("name", NAMES)
async def test_segments_are_seamless(name: Format) -> None:
    async with on_air() as radio:
        now = await wait_for_segments(radio, name, 7)
        start, left = await decode(radio, name, now)
    assert now.entries[0].at is not None
    assert abs(start / SAMPLE_RATE - now.entries[0].at) < 0.001
    assert abs(len(left) / SAMPLE_RATE - sum(entry.seconds for entry in now.entries)) < 1e-5
    spectrum = np.abs(np.fft.rfft(left[SAMPLE_RATE : 3 * SAMPLE_RATE]))
    assert int(np.argmax(spectrum)) == 880
    pieces = left[4_800:][: (len(left) - 4_800) // 480 * 480].reshape(-1, 480)
    loudness = np.sqrt(np.mean(pieces**2, axis=1))
    assert loudness.min() > 0.15
    assert loudness.max() < 0.2


async def test_the_first_playlist_has_segments_from_the_past() -> None:
    async with on_air() as radio:
        await until(lambda: radio.tone.edge.live > 2 * SAMPLE_RATE)
        before = radio.tone.edge.live
        now = read_list(await fetch_playlist(radio, "aac"))
        assert len(now.entries) >= 2
        base = radio.app[HLS_RENDITIONS]._timelines[radio.tone].base(0)
        assert now.entries[0].number * SAMPLE_RATE // 2 - base < before
        assert now.entries[0].tagged


async def test_a_request_before_the_station_is_on_the_air_waits_for_it() -> None:
    async with on_air(start=False) as radio:
        request = asyncio.create_task(fetch_playlist(radio, "opus"))
        await until(lambda: radio.tone.mounts.get("opus") is not None)
        await radio.tone.start()
        assert len(read_list(await request).entries) == 1


async def test_the_multivariant_playlist_waits_for_three_segments() -> None:
    """Chromium fails with fewer. A player does not request this playlist again during playback."""
    async with on_air() as radio:
        status, _, _ = await fetch(radio, "index.m3u8")
        assert status == 200
        assert len(read_list(await fetch_playlist(radio, "aac")).entries) >= 3


async def test_a_request_for_a_playlist_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radio.server.broadcast.hls_rendition.FIRST_SEGMENT_TIMEOUT", 0.2)
    async with on_air(start=False) as radio:
        status, headers, body = await fetch(radio, "aac/index.m3u8")
    assert status == 503
    assert headers["Retry-After"] == "5"
    assert b"no audio yet" in body


async def test_no_request_waits_for_a_segmenter_that_was_stopped_before_it_began() -> None:
    async with on_air(start=False) as radio:
        started = radio.app[HLS_RENDITIONS].rendition(radio.tone, "aac")
        await started.close()
        with pytest.raises(ServerError):
            await asyncio.wait_for(started.playlist(), rendition.FIRST_SEGMENT_TIMEOUT / 4)
        assert radio.app[HLS_RENDITIONS].running(radio.tone, "aac") is None


async def test_renditions_have_the_same_numbers_times_and_discontinuities() -> None:
    """They match even if one rendition is requested later than the other."""
    async with on_air() as radio:
        first = await wait_for_segments(radio, "aac", 1)
        aac, opus = await wait_for_segments(radio, "aac", 4), await wait_for_segments(radio, "opus", 4)
    assert first.entries[0].number == aac.entries[0].number
    both = {entry.number: entry for entry in aac.entries}
    shared = [(both[entry.number], entry) for entry in opus.entries if entry.number in both]
    assert shared
    for aac_entry, opus_entry in shared:
        assert aac_entry.discontinuity == opus_entry.discontinuity
        assert abs(aac_entry.seconds - opus_entry.seconds) < 0.03
    assert abs((aac.entries[0].at or 0) * 2 - aac.entries[0].number) < 0.05
    assert abs((opus.entries[0].at or 0) * 2 - opus.entries[0].number) < 0.05


async def test_playlists_and_segments_have_cache_headers() -> None:
    async with on_air() as radio:
        await wait_for_segments(radio, "aac", 1)
        status, headers, body = await fetch(radio, "index.m3u8")
        assert (status, headers["Content-Type"]) == (200, "application/vnd.apple.mpegurl")
        assert headers["Cache-Control"] == "public, max-age=60, stale-if-error=600"
        assert body.decode().splitlines()[-2:] == [
            '#EXT-X-STREAM-INF:BANDWIDTH=360000,AVERAGE-BANDWIDTH=168000,CODECS="mp4a.40.2"',
            "aac/index.m3u8",
        ]
        status, headers, body = await fetch(radio, "aac/index.m3u8")
        assert (status, headers["Content-Type"]) == (200, "application/vnd.apple.mpegurl")
        assert headers["Cache-Control"] == "public, max-age=1, stale-while-revalidate=1, stale-if-error=60"
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert "Content-Encoding" not in headers
        tag, now = headers["ETag"], read_list(body.decode())
        for name in (now.init, now.entries[-1].uri):
            status, headers, body = await fetch(radio, f"aac/{name}")
            assert (status, headers["Content-Type"]) == (200, "audio/mp4")
            assert headers["Cache-Control"] == "public, max-age=86400, immutable"
            assert headers["Access-Control-Allow-Origin"] == "*"
            async with radio.http.head(f"{radio.root}/tone/hls/aac/{name}") as response:
                assert (response.status, int(response.headers["Content-Length"])) == (200, len(body))
        status, headers, body = await fetch(radio, "aac/index.m3u8", **{"If-None-Match": tag})
        if status == 304:  # unless there is a new segment
            assert (headers["ETag"], body) == (tag, b"")
        else:
            assert headers["ETag"] != tag
        status, _, _ = await fetch(radio, "aac/index.m3u8", **{"If-None-Match": '"another"'})
        assert status == 200


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("flac/index.m3u8", "unknown_rendition"),
        ("mp3/index.m3u8", "unknown_rendition"),
        ("pcm/index.m3u8", "unknown_rendition"),
        ("AAC/index.m3u8", "unknown_rendition"),
        ("%C3%A4%00/index.m3u8", "unknown_rendition"),
        ("aac/0123abcd-99999999999999999999999999.m4s", "unknown_segment"),
        ("aac/0123abcd--1.m4s", "unknown_segment"),
        ("aac/0123abcd-init.mp4", "unknown_segment"),
        ("aac/..%2F..%2Fstations.yaml", "unknown_segment"),
        ("aac/%2e%2e", "unknown_segment"),
        ("aac/" + "a" * 4_000, "unknown_segment"),
        ("aac/", "not_found"),
        ("aac/a/b.m4s", "not_found"),
        ("", "not_found"),
    ],
)
async def test_unknown_hls_addresses_are_not_found(path: str, code: str) -> None:
    async with on_air(start=False) as radio:
        from yarl import URL

        async with radio.http.get(URL(f"{radio.root}/tone/hls/{path}", encoded=True)) as response:
            assert response.status == 404
            error = (await response.json())["error"]
        assert error["code"] == code
        assert error["message"]
        async with radio.http.get(f"{radio.root}/tome/hls/{path}") as response:
            assert response.status == 404
        assert radio.tone.mounts == {}, "an encoder was started"


async def test_segmenting_ends_when_idle_and_restarts_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    async with on_air() as radio:
        first = await wait_for_segments(radio, "opus", 1)
        monkeypatch.setattr(rendition, "IDLE_TIMEOUT", 0.2)
        mount = radio.tone.mounts["opus"]
        await until(lambda: not mount._taps)
        status, _, _ = await fetch(radio, f"opus/{first.entries[0].uri}")
        assert status == 404
        monkeypatch.setattr(rendition, "IDLE_TIMEOUT", 60.0)
        again = read_list(await fetch_playlist(radio, "opus"))
        assert again.init != first.init
        assert again.entries[0].tagged
        assert again.entries[0].discontinuity == first.entries[0].discontinuity
        assert {entry.number for entry in again.entries} >= {first.entries[-1].number}


async def test_a_station_that_is_removed_and_added_again_is_segmented_again() -> None:
    async with on_air() as radio:
        renditions = radio.app[HLS_RENDITIONS]
        before = await wait_for_segments(radio, "aac", 1)
        removed = radio.channels.pop("tone")
        await removed.stop()
        await until(lambda: not renditions._renditions, 0.9)  # immediately, with its tap
        radio.channels["tone"] = Channel(settings(), worker=WORKER)
        await radio.tone.start()
        after = await wait_for_segments(radio, "aac", 2)
        assert after.init != before.init
        assert radio.tone.listeners == 1
        assert before.entries[0].at is not None
        assert after.entries[0].at is not None
        assert after.entries[0].at > before.entries[0].at
        status, _, _ = await fetch(radio, f"aac/{before.init}")
        assert status == 404


async def test_playlists_stay_consistent_when_the_worker_is_killed() -> None:
    async with on_air() as radio:
        players = {name: Player() for name in NAMES}
        for name in NAMES:
            players[name].reload(await fetch_playlist(radio, name))
        edge, mounts = radio.tone.edge, radio.tone.mounts
        # a worker that is killed while it encodes a burst loses the rest of the burst
        await until(lambda: all((mounts[name].end or 0) > edge.end - SAMPLE_RATE // 10 for name in NAMES))
        victim = radio.tone.pid
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        await until(lambda: radio.tone.pid not in {None, victim})
        async with asyncio.timeout(DEADLINE):
            while any(len(player.known) < 12 for player in players.values()):
                for name in NAMES:
                    players[name].reload(await fetch_playlist(radio, name))
                await asyncio.sleep(0.2)
        for name in NAMES:
            first = players[name].first
            known = [players[name].known[number] for number in sorted(players[name].known)]
            assert [entry.number for entry in known] == list(range(first, first + len(known)))
            assert [entry.tagged for entry in known] == [True] + [False] * (len(known) - 1)
            assert abs(sum(entry.seconds for entry in known) - len(known) / 2) < 0.03
            status, _, body = await fetch(radio, f"{name}/{known[-1].uri}")
            assert status == 200
            fragment = read_fragment(body, usual=TRACKS[name].packet)
            assert fragment.number == known[-1].number


async def test_a_segmenter_that_falls_behind_restarts(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with on_air() as radio:
        tap, taps = radio.tone.tap, []

        @contextlib.asynccontextmanager
        async def failing(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
            async with tap(*arguments, **options) as real:
                taps.append(real)
                yield real if len(taps) > 1 else fails_after(real, 15)

        monkeypatch.setattr(radio.tone, "tap", failing)
        now = await wait_for_segments(radio, "aac", 1)
    assert len(taps) == 2
    assert "fell behind" in caplog.text
    assert abs(now.entries[0].seconds - 0.5) < 0.03


async def fails_after(tap: Any, packets: int) -> AsyncIterator[Any]:
    for _ in range(packets):
        yield await anext(tap)
    raise StreamError("fell behind")


async def test_hls_listeners_are_counted_for_two_segments() -> None:
    async with on_air(settings(), settings("other")) as radio:
        assert radio.tone.listeners == 0
        now = await wait_for_segments(radio, "aac", 1)
        assert radio.tone.listeners == 1
        for player in ("VLC", "Safari", "VLC"):
            await fetch(radio, "aac/index.m3u8", **{"User-Agent": player})
            await fetch(radio, f"aac/{now.init}", **{"User-Agent": player})
            await fetch(radio, "aac/nothing.m4s", **{"User-Agent": "a scanner"})
        assert radio.tone.listeners == 3
        assert radio.channels["other"].listeners == 0


def test_hls_listeners_are_bounded_and_expire() -> None:
    now = 0.0
    listeners = HlsListeners(lambda: now)
    listeners.add("1.2.3.4", "VLC")
    now = SEEN_WITHIN - 0.1
    listeners.add("1.2.3.4", "Safari")
    assert (len(listeners), listeners.networks) == (2, 1)
    now = SEEN_WITHIN + 0.1
    assert len(listeners) == 1
    listeners.add("1.2.3.4", "Safari")
    assert len(listeners) == 1
    for number in range(MAX_LISTENERS + 10):
        listeners.add(str(number), "")
    assert len(listeners) == listeners.networks == MAX_LISTENERS
    now += SEEN_WITHIN + 1
    assert len(listeners) == listeners.networks == 0


async def test_hls_players_at_one_address_do_not_fill_a_station() -> None:
    async with on_air(server=replace(ServerSettings(), listeners=2)) as radio:
        await wait_for_segments(radio, "aac", 1)
        for number in range(5):
            await fetch(radio, "aac/index.m3u8", **{"User-Agent": str(number)})
        assert radio.tone.listeners >= 5
        async with radio.http.get(f"{radio.root}/tone.opus") as response:
            assert response.status == 200
