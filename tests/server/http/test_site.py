from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import pytest

from radio.server.http import body, site
from tests.server.on_air import DEADLINE, OnAir, on_air, until

PATCH = b"PATCH /api/stations/tone/controls HTTP/1.1\r\nHost: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"


async def sent(radio: OnAir, *parts: bytes, pause: float = 0.0) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in small letters and body of the answer to these bytes, or 0 where the connection is closed."""
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


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log would show, but for asyncio's debug mode, which talks when the machine is slow."""
    found = [record for record in caplog.records if record.levelno >= logging.WARNING]
    return [record.getMessage() for record in found if record.name.startswith(("radio", "aiohttp"))]


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
async def test_what_is_no_http_is_told_so_in_our_own_form(request_: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with on_air(start=False) as radio:
        status, headers, answer = await sent(radio, request_)
    assert status == 400
    assert headers["content-type"].startswith("application/json")
    error = json.loads(answer)["error"]
    assert error["code"] == "bad_request"
    assert "HTTP/1.1" in error["message"]
    assert "Traceback" not in caplog.text
    assert complaints(caplog) == []


async def test_who_never_finishes_a_request_is_shown_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow loris: a byte now and then, for ever; and one who says nothing at all."""
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

        lasted = await asyncio.gather(*(drip() for _ in range(10)), *(silence() for _ in range(10)))
        assert max(lasted) < DEADLINE / 2
        assert (await sent(radio, b"GET /healthz HTTP/1.0\r\n\r\n"))[0] == 200


async def test_a_body_that_does_not_arrive_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_TIMEOUT", 0.3)
    monkeypatch.setattr(site, "_LINGER", 0.1)
    head = PATCH + JSON + b"Content-Length: 20\r\n\r\n{"
    async with on_air(start=False) as radio:
        status, _, answer = await sent(radio, head)
        assert (status, json.loads(answer)["error"]["code"]) == (408, "too_slow")


async def test_connections_without_a_request_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "MAX_IDLE", 20)
    async with on_air() as radio:
        listening, listener = await asyncio.open_connection(radio.host, radio.port)
        listener.write(b"GET /tone.opus HTTP/1.0\r\n\r\n")
        await listening.readuntil(b"OggS")
        following = await radio.http.get(f"{radio.root}/api/stations/tone/events")
        crowd = [await asyncio.open_connection(radio.host, radio.port) for _ in range(60)]
        await until(lambda: sum(reader.at_eof() for reader, _ in crowd) == 40)
        assert [reader.at_eof() for reader, _ in crowd] == [True] * 40 + [False] * 20
        assert (await sent(radio, b"GET /healthz HTTP/1.0\r\n\r\n"))[0] == 200
        for stream in (listening, following.content):
            for _ in range(3):
                assert await asyncio.wait_for(stream.read(1_000), DEADLINE)
        following.close()
        for writer in (listener, *(writer for _, writer in crowd)):
            writer.close()


async def test_connections_are_kept_between_requests() -> None:
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
        (b"OPTIONS /healthz HTTP/1.0\r\n\r\n", 405),
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
async def test_every_refusal_has_one_form(request_: bytes, status: int, caplog: pytest.LogCaptureFixture) -> None:
    async with on_air(start=False) as radio:
        got, headers, answer = await sent(radio, request_)
    assert got == status
    assert headers["content-type"].startswith("application/json")
    assert "x-evil" not in headers
    error: Any = json.loads(answer)["error"]
    assert error["code"]
    assert error["message"]
    assert status != 405 or headers["allow"]
    assert complaints(caplog) == []


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async with on_air(start=False) as radio:
        _, writer = await asyncio.open_connection(radio.host, radio.port)
        writer.write(PATCH + JSON + b"Content-Length: 20\r\n\r\n{")
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await asyncio.sleep(0.1)
    assert complaints(caplog) == []


@pytest.mark.parametrize(
    "range_", ["bytes=999999999999-", "bytes=-0", "bytes=5-1", "lines=1-2", "bytes=" + "0-1," * 900]
)
async def test_an_absurd_range_is_harmless(range_: str) -> None:
    async with on_air() as radio:
        for path, allowed in (("/web/page.css", {200, 206, 416}), ("/tone.opus", {200})):
            async with radio.http.get(radio.root + path, headers={"Range": range_}) as response:
                assert response.status in allowed
                if path == "/tone.opus":
                    assert await asyncio.wait_for(response.content.readexactly(4), DEADLINE) == b"OggS"
