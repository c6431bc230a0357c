"""Errors of pushes to misbehaving servers: they are reported, and the key stays hidden."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from radio.errors import StreamError
from radio.paths import ARTWORK
from radio.push.destinations import PushedStation, run_until_one_ends
from radio.push.pusher import Pusher
from radio.settings.push import MountFormat, PushSettings
from radio.settings.push_target import Key, parse
from radio.types import Format, Frames, Packet, Seconds
from tests.push.servers import KEY, eventually, silent_server


class Silence:
    """A source of silent PCM packets."""

    @contextlib.asynccontextmanager
    async def tap(self, format_: Format, *, history: Seconds = 0.0) -> AsyncIterator[AsyncIterator[Packet]]:
        yield self._packets()

    async def _packets(self) -> AsyncIterator[Packet]:
        frame = 0
        while True:
            yield Packet(frame, 960, bytes(3_840))
            frame += 960
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def pushing(
    scheme: str, port: int, title_at: Callable[[Frames], str | None] = lambda _: None, format_: MountFormat = "opus"
) -> AsyncIterator[Pusher]:
    to = parse(f"{scheme}://127.0.0.1:{port}/x")
    station = PushedStation(Silence(), "Station", "", ARTWORK, title_at)
    pusher = Pusher(PushSettings(to, Key(value=KEY), format=format_), station)
    task = asyncio.create_task(pusher.run())
    try:
        yield pusher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert pusher.status.state == "ended"


@contextlib.asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    """Run a server that sends `answer` to each client and closes the connection; yield its port."""

    async def answer_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(answer)

    async with serving(answer_client) as port:
        yield port


@contextlib.asynccontextmanager
async def serving(
    on_client: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """Run a server that handles each client with `on_client` and closes the connection; yield its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await on_client(reader, writer)
        except asyncio.CancelledError:
            return  # the test is over
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.parametrize(
    ("scheme", "answer", "words"),
    [
        (
            "icecast",
            f"HTTP/1.1 500 no {KEY} here\r\n\r\n".encode(),
            "the server rejects the request: 500 no … here (500)",
        ),
        ("icecast", b"HTTP/1.0 403 Forbidden\r\n\r\n", "the mount is in use, or not allowed (403)"),
        ("icecast", b"\x00\x01 nonsense\r\n\r\n", "does not speak the Icecast protocol"),
        ("icecast", b"", "closed the connection without an answer"),
        ("icecast", b"x" * 200_000, "closed the connection without an answer"),
        ("rtmp", b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak RTMP"),
        ("rtmp", b"", "does it speak RTMP on this port?"),
        ("rtmp", b"\x03" + bytes(3_072), "is the address right?"),
        (
            "rtmp",
            b"\x03" + bytes(3_072) + b"\x03" + bytes(3) + b"\xff\xff\xff\x14" + bytes(4),
            "it does not speak RTMP",
        ),
    ],
)
async def test_an_unexpected_answer_is_reported_in_one_line(
    scheme: str, answer: bytes, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with answering(answer) as port, pushing(scheme, port) as pusher:
        await eventually(lambda: caplog.text.count("trying again") > 1, "another attempt")
        assert words in (pusher.status.error or "")
    assert KEY not in caplog.text
    assert words in caplog.text


@pytest.mark.parametrize("scheme", ["rtmp", "icecast"])
async def test_a_server_that_never_answers_times_out(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radio.push.connection.CONNECT_TIMEOUT", 0.5)
    async with silent_server() as port, pushing(scheme, port) as pusher:
        await eventually(lambda: pusher.status.attempts > 1, "another attempt")
        assert f"127.0.0.1:{port} did not accept the connection within 0.5 s" in (pusher.status.error or "")


async def test_an_unexpected_exception_ends_only_the_current_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError(f"with {KEY} in the message")

    monkeypatch.setattr("radio.push.destinations.RtmpConnection.open", broken)
    async with silent_server() as port, pushing("rtmp", port) as pusher:
        await eventually(lambda: pusher.status.attempts > 1, "another attempt")
        assert pusher.status.error == "ZeroDivisionError: with … in the message"


async def test_a_cancellation_while_a_failed_attempt_ends_is_not_lost() -> None:
    """Otherwise the push goes on, and the station waits for its end forever."""
    cleaning, cleaned = asyncio.Event(), asyncio.Event()

    async def fail() -> None:
        raise StreamError("the server closed the connection")

    async def clean_up() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaning.set()
            await asyncio.sleep(0.05)
            cleaned.set()

    attempt = asyncio.create_task(run_until_one_ends(fail(), clean_up()))
    await cleaning.wait()
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    await asyncio.wait_for(cleaned.wait(), 10)


async def test_each_title_is_sent_to_icecast_once() -> None:
    titles: list[str] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, path, _ = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ", 2)
        if method == "GET":
            titles.extend(parse_qs(urlsplit(path).query)["song"])
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        while await reader.read(65_536):
            pass

    async with (
        serving(accept) as port,
        pushing("icecast", port, lambda frame: "One" if frame < 9_600 else "Two", "mp3") as pusher,
    ):
        await eventually(lambda: len(titles) > 1, "the second title")
        await asyncio.sleep(0.2)  # ten more packets
        assert titles == ["Station - One", "Station - Two"]
        assert pusher.status.connections == 1


async def test_an_icecast_server_that_ends_the_response_is_reconnected() -> None:
    async def accept_and_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        writer.write_eof()
        while await reader.read(65_536):  # it keeps reading so that sending does not fail
            pass

    async with serving(accept_and_end) as port, pushing("icecast", port) as pusher:
        await eventually(lambda: pusher.status.connections > 1, "another connection")
        assert pusher.status.error == "the server closed the connection"
