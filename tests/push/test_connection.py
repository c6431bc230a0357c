"""Connections to servers: counting acknowledged bytes, and closing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from radio.push.connection import ServerConnection
from radio.settings.push_target import parse
from tests.push.servers import eventually


@contextlib.asynccontextmanager
async def connected_pair() -> AsyncIterator[tuple[ServerConnection, socket.socket]]:
    """Connect to a local server; yield the connection and the server's socket, which only the test reads."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = await ServerConnection.open(parse(f"rtmp://127.0.0.1:{server.getsockname()[1]}/app"))
        peer, _ = server.accept()
        with peer:
            yield connection, peer
            connection.abort()


async def send_endlessly(connection: ServerConnection) -> None:
    while True:
        await connection.send(bytes(1_000_000))


def read_to_end(peer: socket.socket) -> None:
    while peer.recv(100):
        pass


async def test_bytes_count_once_the_servers_system_has_acknowledged_them() -> None:
    async with connected_pair() as (connection, _):
        assert connection.acknowledged() == 0
        await connection.send(bytes(1_000))
        await eventually(lambda: connection.acknowledged() == 1_000, "the acknowledgement")
        with pytest.raises(TimeoutError):  # eventually all buffers are full
            await asyncio.wait_for(send_endlessly(connection), 1)
        total = connection.acknowledged()
        await asyncio.sleep(0.1)
        assert 1_000 < connection.acknowledged() == total


async def test_close_sends_the_last_bytes() -> None:
    async with connected_pair() as (connection, peer):
        await connection.send(b"music")
        await connection.close(b"goodbye")
        assert peer.recv(100) == b"musicgoodbye"


async def test_a_cancelled_close_ends_the_connection() -> None:
    """The server would otherwise keep the stream's name in use."""
    async with connected_pair() as (connection, peer):
        with pytest.raises(TimeoutError):  # the buffers are full
            await asyncio.wait_for(send_endlessly(connection), 1)
        closing = asyncio.create_task(connection.close())
        await asyncio.sleep(0.1)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        peer.settimeout(20)
        with pytest.raises(ConnectionResetError):
            await asyncio.to_thread(read_to_end, peer)


async def test_an_aborted_connection_is_reset() -> None:
    """A regular close would keep the connection and its unsent bytes in the system for minutes."""
    async with connected_pair() as (connection, peer):
        await connection.send(b"music")
        connection.abort()
        await asyncio.sleep(0.1)
        with pytest.raises(ConnectionResetError):
            read_to_end(peer)


def resolve_to(monkeypatch: pytest.MonkeyPatch, addresses: list[Any]) -> None:
    """Resolve all names to `addresses` within the event loop."""

    async def getaddrinfo(*_: object, **__: object) -> list[Any]:
        return [*addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


async def test_a_connection_that_is_cancelled_at_any_step_leaves_no_socket_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[socket.socket] = []

    class Recorded(socket.socket):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            opened.append(self)

    monkeypatch.setattr("socket.socket", Recorded)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        resolve_to(monkeypatch, [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)])
        target = parse(f"rtmp://127.0.0.1:{address[1]}/app")
        finished = False
        for steps in range(100):
            opened.clear()
            opening = asyncio.create_task(ServerConnection.open(target))
            for _ in range(steps):
                await asyncio.sleep(0)
            if not opening.cancel():
                opening.result().abort()
                finished = True
            await asyncio.wait([opening])
            await asyncio.sleep(0.001)  # transports close their sockets in the next iteration
            assert [one for one in opened if one.fileno() != -1] == [], f"cancelled after {steps} steps"
            if finished:
                break
    assert finished


async def test_a_host_is_reached_at_its_next_address_if_the_first_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue of the IPv6 address is full, so that the system drops every attempt to connect."""
    with contextlib.ExitStack() as stack:
        dead = stack.enter_context(socket.socket(socket.AF_INET6))
        dead.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        dead.bind(("::1", 0))
        dead.listen(0)
        port = dead.getsockname()[1]
        for _ in range(8):
            waiting = stack.enter_context(socket.socket(socket.AF_INET6))
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(("::1", port))
        server = stack.enter_context(socket.create_server(("127.0.0.1", port)))
        kind = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        addresses = [(socket.AF_INET6, *kind, ("::1", port, 0, 0)), (socket.AF_INET, *kind, ("127.0.0.1", port))]
        resolve_to(monkeypatch, addresses)
        connection = await asyncio.wait_for(ServerConnection.open(parse(f"rtmp://two.example:{port}/app")), 60)
        connection.abort()
        server.accept()[0].close()
