from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import errno
import io
import json
import os
import signal
import socket
import struct
import time
import wave
from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np
import pytest

from radio.server.broadcast import mount_set, reserve
from radio.settings.server import ServerSettings
from radio.stream.formats.ogg import PRE_SKIP
from radio.stream.relay import mount
from radio.types import SAMPLE_RATE
from tests.server.on_air import DEADLINE, OnAir, ffmpeg, more_pages, on_air, raw, until
from tests.server.tone_worker import settings
from tests.stream.ogg_reader import ReadPage, check_one_stream, last_granule, read_pages

TCP_CLOSE = 7


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_stream_is_raw_ogg_over_http_1_0_and_1_1(version: str) -> None:
    async with on_air() as radio:
        head, body = await raw(radio, f"GET /tone.opus HTTP/{version}\r\nHost: x\r\n\r\n", more_pages(12))
    lines = head.decode("latin-1").lower().split("\r\n")
    assert lines[0].endswith("200 ok")
    assert "content-type: audio/ogg" in lines
    assert "cache-control: no-store" in lines
    assert "access-control-allow-origin: *" in lines
    assert "icy-name: station tone" in lines
    assert "connection: close" in lines or version == "1.0"
    assert not any(line.startswith(("transfer-encoding", "content-length")) for line in lines)
    assert body.startswith(b"OggS")
    assert len(check_one_stream(body)) > 8


async def test_head_returns_only_the_headers() -> None:
    async with on_air() as radio:
        head, body = await raw(radio, "HEAD /tone.opus HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"audio/ogg" in head
        assert body == b""
        assert radio.tone.listeners == 0


async def test_ffmpeg_decodes_the_tone_without_silence() -> None:
    async with on_air() as radio:
        out = await ffmpeg("-t", "3", "-i", f"{radio.root}/tone.opus", "-f", "wav", "-")
        await until(lambda: radio.tone.listeners == 0)
    with wave.open(io.BytesIO(out)) as file:
        assert (file.getframerate(), file.getnchannels()) == (SAMPLE_RATE, 2)
        sound = np.frombuffer(file.readframes(SAMPLE_RATE * 9), dtype="<i2").reshape(-1, 2) / 32_768
    assert len(sound) == 3 * SAMPLE_RATE
    loudness = np.sqrt(np.mean(sound[: len(sound) // 480 * 480].reshape(-1, 480, 2) ** 2, axis=1))
    assert loudness.min() > 0.1
    assert int(np.argmax(np.abs(np.fft.rfft(sound[: 2 * SAMPLE_RATE, 0])))) == 880


async def test_the_burst_parameter_sets_the_burst() -> None:
    async with on_air() as radio:
        await until(lambda: radio.tone.edge.live > 3 * SAMPLE_RATE)
        for burst, low, high in ((0, 0.0, 0.6), (2, 1.8, 2.6), (500, 2.9, 8.0)):
            before = radio.tone.edge.live
            _, body = await raw(radio, f"GET /tone.opus?burst={burst} HTTP/1.0\r\n\r\n", more_pages(4))
            first = check_one_stream(body)[0]
            start = first.granule - len(first.packets) * 960
            assert low * SAMPLE_RATE <= radio.tone.edge.live - start
            assert before - start <= high * SAMPLE_RATE


@pytest.mark.parametrize("burst", ["-1", "nan", "inf", "two", ""])
async def test_an_invalid_burst_is_refused(burst: str) -> None:
    async with on_air(start=False) as radio, radio.http.get(f"{radio.root}/tone.opus?burst={burst}") as response:
        assert response.status == 422
        error = (await response.json())["error"]
        assert (error["field"], error["code"]) == ("burst", "not_allowed")
        assert "seconds" in error["allowed"]


async def test_a_listener_before_the_station_is_on_the_air_waits() -> None:
    async with on_air(start=False) as radio:
        listening = asyncio.create_task(raw(radio, "GET /tone.opus HTTP/1.0\r\n\r\n", more_pages(8)))
        await until(lambda: radio.tone.listeners == 1)
        await radio.tone.start()
        _, body = await listening
        assert check_one_stream(body)[0].sequence == 2


async def collect(radio: OnAir, seconds: float) -> list[tuple[float, ReadPage]]:
    """Return the audio pages, each with the monotonic time at which it was complete."""
    reader, writer = await asyncio.open_connection(radio.host, radio.port)
    writer.write(b"GET /tone.opus?burst=1 HTTP/1.0\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    data, pages, end = b"", [], time.monotonic() + seconds
    while time.monotonic() < end:
        data += await asyncio.wait_for(reader.read(65_536), DEADLINE)
        for page in read_pages(data, checksums=False):
            pages.append((time.monotonic(), page))
            data = data[len(page.raw) :]
    writer.close()
    await writer.wait_closed()
    return pages[2:]


@pytest.mark.slow
async def test_audio_follows_the_wall_clock_after_the_burst() -> None:
    async with on_air() as radio:
        await until(lambda: radio.tone.edge.live > SAMPLE_RATE)
        pages = await collect(radio, 4)
    live = [(at, page) for at, page in pages if at > pages[0][0] + 0.5]
    lead = [page.granule / SAMPLE_RATE - at for at, page in live]
    assert max(lead) - min(lead) < 0.1
    assert all(b[1].granule - a[1].granule == 3_840 for a, b in pairwise(live))


def reaches(frame: int) -> Callable[[bytes], bool]:
    """Return a condition for `raw`: the Opus stream has the audio up to `frame`."""
    return lambda body: last_granule(body) >= frame + 2 * 3_840


async def test_twenty_listeners_receive_the_same_audio() -> None:
    async with on_air() as radio:
        end = radio.tone.edge.live + 2 * SAMPLE_RATE
        responses = await asyncio.gather(
            *(raw(radio, f"GET /tone.opus?burst={n % 4} HTTP/1.1\r\nHost: x\r\n\r\n", reaches(end)) for n in range(20))
        )
    streams = [{page.sequence: page.raw for page in check_one_stream(body, checksums=False)} for _, body in responses]
    common = set.intersection(*(set(stream) for stream in streams))
    assert len(common) > 10
    assert all(len({stream[sequence] for stream in streams}) == 1 for sequence in common)


async def test_a_stream_continues_when_the_worker_is_killed() -> None:
    """There is one logical stream, no gap in sequence or granule, no silence, and no warning from ffmpeg."""
    async with on_air() as radio:
        await until(lambda: radio.tone.edge.live > SAMPLE_RATE)
        listening = asyncio.create_task(raw(radio, "GET /tone.opus?burst=1 HTTP/1.0\r\n\r\n", more_pages(68)))
        player = asyncio.create_task(ffmpeg("-t", "6", "-i", f"{radio.root}/tone.opus?burst=1", "-f", "f32le", "-"))
        await until(lambda: radio.tone.listeners == 2)
        await until(lambda: (radio.tone.mount("opus").end or 0) > radio.tone.edge.end - 4_800)  # the past is encoded
        victim = radio.tone.pid
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        await until(lambda: radio.tone.pid not in {None, victim})
        _, body = await listening
        sound = np.frombuffer(await player, dtype="<f4").reshape(-1, 2)
        assert radio.tone.restarts == 1
    audio = check_one_stream(body)
    assert len(audio) * 4 * 960 > 5 * SAMPLE_RATE
    assert audio[0].granule > PRE_SKIP
    loudness = np.sqrt(np.mean(sound[: len(sound) // 960 * 960].reshape(-1, 960, 2) ** 2, axis=1))
    assert np.count_nonzero(loudness.min(axis=1) < 0.05) <= 2


@pytest.mark.slow
async def test_a_killed_worker_delays_the_station_for_less_than_three_seconds() -> None:
    async with on_air() as radio:
        await until(lambda: radio.tone.edge.live > SAMPLE_RATE)
        victim = radio.tone.pid
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        await until(lambda: radio.tone.pid not in {None, victim} and radio.tone.edge.reserve > 2)
        assert radio.tone.edge.total_delay < 3


@pytest.mark.parametrize("fault", ["hangs after two seconds", "raises after two seconds"])
async def test_a_worker_that_fails_is_replaced(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    async with on_air(settings(description=fault)) as radio:
        await until(lambda: radio.tone.edge.live > 4 * SAMPLE_RATE)
        assert radio.tone.restarts == 1
        numbers = [*dict.fromkeys(bar.number for bar in radio.tone.now_playing.bars)]  # a bar may be replayed
        assert numbers == [*range(1, len(numbers) + 1)]
        _, body = await raw(radio, "GET /tone.opus HTTP/1.0\r\n\r\n", more_pages(4))
        check_one_stream(body)
    assert ("sent nothing" if fault.startswith("hangs") else "the tone broke") in caplog.text
    # asyncio's debug mode logs too.
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("radio")]
    assert lines
    assert all(line.startswith("station 'tone': ") for line in lines)


async def listen_without_reading(radio: OnAir) -> None:
    """Request a stream, read nothing, and return when the server resets the connection."""
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.setblocking(False)
        await loop.sock_connect(client, (radio.host, radio.port))
        await loop.sock_sendall(client, b"GET /tone.opus HTTP/1.0\r\n\r\n")
        await until(lambda: client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_CLOSE)


async def test_a_listener_that_stops_reading_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radio.stream.relay.relay.STALL_LIMIT", 1.0)
    async with on_air() as radio:
        relay, edge = radio.tone.mount("opus").relay, radio.tone.edge
        await until(lambda: edge.live > 2 * SAMPLE_RATE)
        done = asyncio.Event()
        good = asyncio.create_task(raw(radio, "GET /tone.opus HTTP/1.0\r\n\r\n", lambda _: done.is_set()))
        await listen_without_reading(radio)
        assert relay.counts.slow_disconnects == 1
        assert relay.listeners == 1
        done.set()
        _, body = await good
        check_one_stream(body)
        assert relay.counts.joined == 2


async def leave(radio: OnAir, path: str, *, after: bytes, reset: bool) -> None:
    """Request a stream and close the connection when `after` has arrived, with unread data or with a reset."""
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        if reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.setblocking(False)
        await loop.sock_connect(client, (radio.host, radio.port))
        await loop.sock_sendall(client, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        data = b""
        while after not in data:
            data += await asyncio.wait_for(loop.sock_recv(client, 64), DEADLINE)


@pytest.mark.parametrize("burst", [0, 20])
async def test_a_listener_that_leaves_at_any_moment_is_no_longer_counted(burst: int) -> None:
    """Listeners leave before the response, after its head, and during the audio, with a running and a new encoder."""
    async with on_air() as radio:
        await until(lambda: radio.tone.edge.live > 2 * SAMPLE_RATE)
        for format_, music in (("opus", b"OggS"), ("mp3", b"\xff"), ("aac", b"\xff")):
            path = f"/tone.{format_}?burst={burst}"
            for after in (b"", b"\r\n\r\n", music):
                for _ in range(2):
                    await leave(radio, path, after=after, reset=False)
                    await leave(radio, path, after=after, reset=True)
        await until(lambda: radio.tone.listeners == 0)
        assert sum(mount.relay.counts.joined for mount in radio.tone.mounts.values()) >= 24
        assert all(mount.relay.counts.slow_disconnects == 0 for mount in radio.tone.mounts.values())


@pytest.mark.parametrize("reset", [False, True])
async def test_a_listener_that_leaves_a_silent_station_is_no_longer_counted(
    reset: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No write fails while nothing is sent; a page that reconnects often must not leave files open."""
    monkeypatch.setattr("radio.server.broadcast.restarting_worker.RESTART_DELAYS", (3_600.0,))
    async with on_air() as radio:
        await until(lambda: radio.tone.edge.live > SAMPLE_RATE)
        assert radio.tone.pid is not None
        os.kill(radio.tone.pid, signal.SIGKILL)
        await until(lambda: radio.tone.pid is None)
        for path in ("/tone.opus?burst=0", "/tone.mp3", "/tone.aac?burst=20"):
            await leave(radio, path, after=b"\r\n\r\n", reset=reset)
        assert radio.tone.listeners == 3
        await until(lambda: radio.tone.listeners == 0)


async def fetch(radio: OnAir, path: str, **headers: str) -> tuple[int, Mapping[str, str], str]:
    async with radio.http.get(radio.root + path, headers=headers) as response:
        return response.status, response.headers, await response.text()


async def test_a_full_station_answers_with_retry_after() -> None:
    server = dataclasses.replace(ServerSettings(), listeners=2)
    async with on_air(server=server) as radio:
        async with radio.http.get(f"{radio.root}/tone.opus"), radio.http.get(f"{radio.root}/tone.mp3"):
            status, headers, text = await fetch(radio, "/tone.opus")
            assert (status, headers["Retry-After"]) == (503, "60")
            assert "2 listeners" in json.loads(text)["error"]["message"]
            async with radio.http.head(f"{radio.root}/tone.opus") as response:
                assert response.status == 200
        await until(lambda: radio.tone.listeners == 0)
        async with radio.http.get(f"{radio.root}/tone.opus") as response:
            assert response.status == 200


async def test_the_number_of_streams_per_address_is_limited() -> None:
    server = dataclasses.replace(ServerSettings(), listeners_per_address=1)
    async with on_air(settings(), settings("other"), server=server) as radio:
        for _ in range(2):
            async with radio.http.get(f"{radio.root}/tone.opus") as response:
                assert response.status == 200
                status, _, text = await fetch(radio, "/other.mp3")
                assert (status, json.loads(text)["error"]["code"]) == (503, "full")
            await until(lambda: radio.tone.listeners == 0)


async def test_other_sites_may_request_titles_and_ranges_are_ignored() -> None:
    async with on_air() as radio:
        async with radio.http.options(f"{radio.root}/tone.mp3") as response:
            assert response.status == 204
            assert "Icy-MetaData" in response.headers["Access-Control-Allow-Headers"]
        for range_ in ("bytes=0-", "bytes=5-2", "bytes=99999999999999-", "chunks=1", "\u00fc"):
            async with radio.http.get(f"{radio.root}/tone.opus", headers={"Range": range_}) as response:
                assert response.status == 200
                assert (await response.content.readexactly(4)) == b"OggS"


async def test_the_event_stream_of_a_sid_reports_the_first_audible_frame() -> None:
    async with on_air() as radio:
        await until(lambda: radio.tone.edge.live > 4 * SAMPLE_RATE)
        async with radio.http.get(f"{radio.root}/api/stations/tone/events?sid=me") as events:
            _, body = await raw(radio, "GET /tone.opus?sid=me&burst=1 HTTP/1.0\r\n\r\n", more_pages(4))
            text = b""
            while b"event: stream" not in text or not text.endswith(b"\n\n"):
                text += await asyncio.wait_for(events.content.readany(), DEADLINE)
    first = json.loads(text.partition(b"event: stream\ndata: ")[2].partition(b"\n")[0])["first"]
    page = check_one_stream(body)[0]
    # A player starts with the first page after the pre-skip, and the codec delays the audio by 312 frames.
    assert first == page.granule - len(page.packets) * 960 + PRE_SKIP - 312


async def test_a_listener_without_a_free_file_descriptor_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    server = dataclasses.replace(ServerSettings(), listeners_per_address=1)
    async with on_air(server=server) as radio:
        request = "GET /tone.opus HTTP/1.1\r\nHost: x\r\n\r\n"
        with monkeypatch.context() as patch:
            patch.setattr(os, "dup", full)
            with contextlib.suppress(ConnectionError):
                assert (await raw(radio, request))[1] == b""
        assert (await raw(radio, request, more_pages(1)))[1].startswith(b"OggS")


async def test_granules_match_the_stations_frames_after_a_pause_without_listeners(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mount, "LINGER", 0.1)
    monkeypatch.setattr(mount_set, "HISTORY", 1.0)
    monkeypatch.setattr(reserve, "RESERVE", 1.0)
    async with on_air() as radio:
        await raw(radio, "GET /tone.opus?burst=0 HTTP/1.0\r\n\r\n", more_pages(4))
        tone = radio.tone.mount("opus")
        await until(lambda: not tone.encoding)
        end = tone.end or 0
        await until(lambda: radio.tone.edge.live > end + 3 * SAMPLE_RATE)
        _, body = await raw(radio, "GET /tone.opus?sid=me&burst=0.5 HTTP/1.0\r\n\r\n", more_pages(4))
        page = check_one_stream(body)[0]
        assert radio.tone.subscribers.first_frame("me") == page.granule - len(page.packets) * 960 + PRE_SKIP - 312
