"""Less common cases of pushes to Icecast: TLS, a root mount, spaces in the password, and a mount not ready yet."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from radio.push import destinations
from radio.settings.push import PushSettings
from radio.settings.push_target import Key, parse
from tests.push.servers import KEY, Relay, certificate, eventually, icecast
from tests.push.test_servers import mount, pushed


async def test_a_push_reaches_icecast_through_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cert, tls = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    with icecast() as server:
        async with Relay(server.port, tls).running() as relay:
            to = parse(f"icecasts://localhost:{relay.port}/tone.mp3")
            async with pushed(PushSettings(to, Key(value=KEY), format="mp3")) as (_, (status,)):
                await eventually(lambda: status.sent > 60_000, "a stream")


async def test_a_password_may_have_spaces_and_the_mount_may_be_the_root() -> None:
    with icecast(password="three words long") as server:
        async with pushed(mount(server.port, "", "mp3", key="three words long")) as (radio, (status,)):
            await eventually(lambda: status.sent > 60_000, "a stream")
            async with radio.http.get(f"http://127.0.0.1:{server.port}/") as response:
                assert response.headers["Content-Type"] == "audio/mpeg"
                assert len(await response.content.readexactly(1_000)) == 1_000


async def test_a_title_that_is_rejected_at_first_is_resent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server accepts the source before it knows the mount."""
    monkeypatch.setattr(destinations, "TITLE_WAITS", (0.1, 0.1, 0.1))
    titles: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"PUT"):
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while await reader.read(65_536):
                pass
        else:
            titles.append(head.split(b" ")[1])
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n" if len(titles) > 2 else b"HTTP/1.1 405 Not yet\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with pushed(mount(port, "tone.mp3", "mp3")) as (_, (status,)):
            await eventually(lambda: len(titles) == 3, "the third attempt")
            assert status.state == "connected"
    assert len({*titles}) == 1
