from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from radio.server.http import body, site
from radio.server.http.listening import open_sockets
from tests.server.on_air import DEADLINE, OnAir, on_air, until

PATCH = b"PATCH /api/stations/tone/controls HTTP/1.1\r\nHost: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"


async def send(radio: OnAir, *parts: bytes, pause: float = 0.0) -> tuple[int, dict[str, str], bytes]:
    """Send bytes; return the status, the lower-case headers and the body, or status 0 if the connection is closed."""
    reader, writer = await asyncio.open_connection(radio.host, radio.port)
    try:
        async with asyncio.timeout(DEADLINE):
            for part in parts:
                writer.write(part)
                await asyncio.sleep(pause)
            data = await reader.read()
    except ConnectionError:
        return 0, {}, b""
    finally:
        writer.close()
    head, _, rest = data.partition(b"\r\n\r\n")
    if not head:
        return 0, {}, b""
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, rest


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings of the radio and of aiohttp; asyncio's debug mode warns when the machine is slow."""
    records = [record for record in caplog.records if record.levelno >= logging.WARNING]
    return [record.getMessage() for record in records if record.name.startswith(("radio", "aiohttp"))]


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS
        b"HELLO\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX\0Y: b\r\n\r\n",
    ],
)
async def test_bytes_that_are_not_http_get_a_json_error(request_: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with on_air(start=False) as radio:
        status, headers, answer = await send(radio, request_)
    assert status == 400
    assert headers["content-type"].startswith("application/json")
    error = json.loads(answer)["error"]
    assert error["code"] == "bad_request"
    assert "HTTP/1.1" in error["message"]
    assert "Traceback" not in caplog.text
    assert warnings(caplog) == []


async def test_connections_without_a_complete_request_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow-loris clients send a header now and then; others send nothing."""
    monkeypatch.setattr(site, "REQUEST_TIMEOUT", 1.0)
    async with on_air(start=False) as radio:

        async def drip() -> float:
            reader, writer = await asyncio.open_connection(radio.host, radio.port)
            began = time.monotonic()
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
            while not reader.at_eof():
                writer.write(b"X-a: b\r\n")
                try:
                    async with asyncio.timeout(0.1):
                        await reader.read(1)
                except TimeoutError:
                    continue
                except ConnectionError:
                    break
            writer.close()
            return time.monotonic() - began

        async def silence() -> float:
            reader, writer = await asyncio.open_connection(radio.host, radio.port)
            began = time.monotonic()
            assert await asyncio.wait_for(reader.read(), DEADLINE) == b""
            writer.close()
            return time.monotonic() - began

        durations = await asyncio.gather(*(drip() for _ in range(10)), *(silence() for _ in range(10)))
        assert max(durations) < DEADLINE / 2
        assert (await send(radio, b"GET /healthz HTTP/1.0\r\n\r\n"))[0] == 200


async def test_an_idle_connection_may_last_longer_than_a_request_head_may_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(site, "REQUEST_TIMEOUT", 1.0)
    async with on_air(start=False) as radio:
        reader, writer = await asyncio.open_connection(radio.host, radio.port)
        for _ in range(2):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), DEADLINE)
            assert b"Keep-Alive: timeout=75\r\n" in head
            await reader.readuntil(b"}")
            await asyncio.sleep(1.5)
        began = time.monotonic()
        writer.write(b"GET /healthz HTTP/1.1\r\n")
        assert await asyncio.wait_for(reader.read(), DEADLINE) == b""
        assert time.monotonic() - began >= 1.0
        writer.close()
        status, headers, _ = await send(radio, b"GET /healthz HTTP/1.0\r\n\r\n")
        assert (status, headers.get("keep-alive")) == (200, None)


async def test_a_body_may_take_longer_than_a_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "REQUEST_TIMEOUT", 0.3)
    head = PATCH + JSON + b"Connection: close\r\nContent-Length: 4\r\n\r\n"
    async with on_air(start=False) as radio:
        status, _, _ = await send(radio, head, b"{", b" ", b" ", b"}", pause=0.2)
    assert status == 422


async def test_an_idle_connection_is_eventually_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "IDLE_TIMEOUT", 0.5)
    async with on_air(start=False) as radio:
        reader, writer = await asyncio.open_connection(radio.host, radio.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in await asyncio.wait_for(reader.read(), DEADLINE)
        writer.close()


@pytest.mark.parametrize(
    ("path", "readable"),
    [
        ("/tone.mp3", True),
        ("/tone/hls/aac/index.m3u8", True),
        ("/api/stations/tone", True),
        ("/api/tracks", True),
        ("/api/stations/tone/controls", False),
        ("/api/stations/tone/skip", False),
    ],
)
async def test_pages_of_other_sites_may_read_but_not_change_anything(path: str, readable: bool) -> None:
    preflight = {"Origin": "https://other.example", "Access-Control-Request-Method": "GET"}
    async with on_air(start=False) as radio, radio.http.options(radio.root + path, headers=preflight) as response:
        assert response.status == 204
        assert "OPTIONS" in response.headers["Allow"]
        assert response.headers.get("Access-Control-Allow-Origin") == ("*" if readable else None)
        assert response.headers.get("Access-Control-Allow-Methods") == ("GET, HEAD, OPTIONS" if readable else None)


async def test_a_body_that_does_not_arrive_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_TIMEOUT", 0.3)
    monkeypatch.setattr(site, "_LINGER", 0.1)
    head = PATCH + JSON + b"Content-Length: 20\r\n\r\n{"
    async with on_air(start=False) as radio:
        status, _, answer = await send(radio, head)
        assert (status, json.loads(answer)["error"]["code"]) == (408, "too_slow")


def highest_descriptor() -> int:
    return max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())


async def test_connections_leave_descriptors_free(monkeypatch: pytest.MonkeyPatch) -> None:
    # Other tests may leave gaps below their descriptors. Fill them, so that all later ones are consecutive.
    highest = highest_descriptor()
    fillers = [os.dup(0)]
    while fillers[-1] <= highest:
        fillers.append(os.dup(0))
    lowest_free = fillers[-1] + 1
    # Half of these are reserved. A connection takes a descriptor at each end.
    files = 2 * (lowest_free + 20)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    monkeypatch.setattr(site, "RESERVED_DESCRIPTORS", files)
    async with on_air(start=False) as radio:
        connections = [await asyncio.open_connection(radio.host, radio.port) for _ in range(30)]
        refused = 0
        for reader, writer in connections:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try:
                refused += not await asyncio.wait_for(reader.readline(), DEADLINE)
            except ConnectionError:
                refused += 1
        assert 15 < refused < 30
        for _, writer in connections:
            writer.close()
        async with radio.http.get(f"{radio.root}/healthz") as response:
            assert response.status == 200
    for filler in fillers:
        os.close(filler)


async def test_the_number_of_idle_connections_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "MAX_IDLE", 20)
    async with on_air() as radio:
        listening, listener = await asyncio.open_connection(radio.host, radio.port)
        listener.write(b"GET /tone.opus HTTP/1.0\r\n\r\n")
        await listening.readuntil(b"OggS")
        following = await radio.http.get(f"{radio.root}/api/stations/tone/events")
        idle = [await asyncio.open_connection(radio.host, radio.port) for _ in range(60)]
        await until(lambda: sum(reader.at_eof() for reader, _ in idle) == 40)
        assert [reader.at_eof() for reader, _ in idle] == [True] * 40 + [False] * 20
        assert (await send(radio, b"GET /healthz HTTP/1.0\r\n\r\n"))[0] == 200
        for stream in (listening, following.content):
            for _ in range(3):
                assert await asyncio.wait_for(stream.read(1_000), DEADLINE)
        following.close()
        for writer in (listener, *(writer for _, writer in idle)):
            writer.close()


async def test_the_limit_also_holds_for_connections_that_have_been_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "MAX_IDLE", 4)
    async with on_air(start=False) as radio:
        busy = []
        for _ in range(12):
            reader, writer = await asyncio.open_connection(radio.host, radio.port)
            writer.write(PATCH + JSON + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            assert b" 100 " in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), DEADLINE)
            busy.append((reader, writer))
        for reader, writer in busy:
            writer.write(b"{}")
            assert b" 422 " in await asyncio.wait_for(reader.readuntil(b"}}"), DEADLINE)
        await until(lambda: sum(reader.at_eof() for reader, _ in busy) >= 8)
        assert [reader.at_eof() for reader, _ in busy] == [True] * 8 + [False] * 4
        for _, writer in busy:
            writer.close()


async def test_a_connection_is_not_idle_while_its_response_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "MAX_IDLE", 2)
    size = 32 * 2**20
    (tmp_path / "large").write_bytes(bytes(size))

    async def large(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(tmp_path / "large")

    app = web.Application(middlewares=[site.track_idle])
    app.router.add_get("/", large)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await site.start_sites(runner, await open_sockets(("127.0.0.1",), 0))
        reader, writer = await asyncio.open_connection(*runner.addresses[0])
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), DEADLINE)
        idle = [await asyncio.open_connection(*runner.addresses[0]) for _ in range(6)]
        await until(lambda: sum(other.at_eof() for other, _ in idle) >= 4)
        assert len(await asyncio.wait_for(reader.readexactly(size), DEADLINE)) == size
        for _, other in (*idle, (reader, writer)):
            other.close()
    finally:
        await runner.cleanup()


async def test_connections_are_kept_alive() -> None:
    async with on_air(start=False) as radio:
        reader, writer = await asyncio.open_connection(radio.host, radio.port)
        for _ in range(3):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b" 200 " in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), DEADLINE)
            await reader.readuntil(b"}")
        writer.close()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"PUT /tone.opus HTTP/1.0\r\n\r\n", 405),
        (b"PROPFIND /healthz HTTP/1.0\r\n\r\n", 405),
        (b"OPTIONS /nowhere HTTP/1.0\r\n\r\n", 404),
        (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.0\r\n\r\n", 404),
        (b"GET /../../etc/passwd HTTP/1.0\r\n\r\n", 404),
        (b"GET //evil.example/..%2f HTTP/1.0\r\n\r\n", 404),
        (b"GET /%00.opus HTTP/1.0\r\n\r\n", 404),
        (b"GET /%ff%fe.opus HTTP/1.0\r\n\r\n", 404),
        (b"GET /api/stations/%0d%0aX-Evil:1 HTTP/1.0\r\n\r\n", 404),
        (b"GET /tone%2eopus%00 HTTP/1.0\r\n\r\n", 404),
        (b"GET http://evil.example/nowhere HTTP/1.0\r\n\r\n", 404),
        (b"GET /api/stations/tone/history?limit=%00 HTTP/1.0\r\n\r\n", 422),
        (b"GET /api/stations/tone/history?limit=" + b"9" * 5_000 + b" HTTP/1.0\r\n\r\n", 422),
        (b"GET /tone.opus?burst=1e999 HTTP/1.0\r\n\r\n", 422),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nConnection: close\r\n\r\n", 417),
        (b"PATCH /api/stations/tone/controls HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", 415),
        (b"PATCH /api/stations/tone/controls HTTP/1.0\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415),
        (
            b"PATCH /api/stations/tone/controls HTTP/1.0\r\nContent-Encoding: gzip\r\n"
            + JSON
            + b"Content-Length: 9\r\n\r\nnot gzip!",
            415,
        ),
        (
            PATCH + JSON + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            400,
        ),
    ],
)
async def test_every_error_has_the_same_form(request_: bytes, status: int, caplog: pytest.LogCaptureFixture) -> None:
    async with on_air(start=False) as radio:
        got, headers, answer = await send(radio, request_)
    assert got == status
    assert headers["content-type"].startswith("application/json")
    assert "x-evil" not in headers
    error: Any = json.loads(answer)["error"]
    assert error["code"]
    assert error["message"]
    assert status != 405 or headers["allow"]
    assert warnings(caplog) == []


async def test_a_client_that_disconnects_before_the_end_of_its_body_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with on_air(start=False) as radio:
        _, writer = await asyncio.open_connection(radio.host, radio.port)
        writer.write(PATCH + JSON + b"Content-Length: 20\r\n\r\n{")
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await asyncio.sleep(0.1)
    assert warnings(caplog) == []


@pytest.mark.parametrize(
    "range_", ["bytes=999999999999-", "bytes=-0", "bytes=5-1", "lines=1-2", "bytes=" + "0-1," * 900]
)
async def test_an_invalid_range_is_harmless(range_: str) -> None:
    async with on_air() as radio:
        for path, allowed in (("/web/page.css", {200, 206, 416}), ("/tone.opus", {200})):
            async with radio.http.get(radio.root + path, headers={"Range": range_}) as response:
                assert response.status in allowed
                if path == "/tone.opus":
                    assert await asyncio.wait_for(response.content.readexactly(4), DEADLINE) == b"OggS"


@pytest.mark.parametrize("from_file", [True, False])
async def test_a_response_that_is_not_read_is_abandoned(
    from_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "WRITE_TIMEOUT", 1.0)
    (tmp_path / "large").write_bytes(bytes(32 * 2**20))

    async def large(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(tmp_path / "large") if from_file else web.Response(body=bytes(32 * 2**20))

    app = web.Application()
    app.router.add_get("/", large)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await site.start_sites(runner, await open_sockets(("127.0.0.1",), 0))
        with socket.create_connection(runner.addresses[0]) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await until(lambda: bool(runner.server and runner.server.connections))
            await until(lambda: not (runner.server and runner.server.connections))
    finally:
        await runner.cleanup()
