"""Connections to servers: counting acknowledged bytes, and closing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

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


async def test_bytes_count_when_the_servers_system_has_acknowledged_them() -> None:
    async with connected_pair() as (connection, _):
        assert connection.acknowledged() == 0
        await connection.send(bytes(1_000))
        await eventually(lambda: connection.acknowledged() == 1_000, "the acknowledgement")
        with pytest.raises(TimeoutError):  # all buffers are full some time
            await asyncio.wait_for(send_endlessly(connection), 1)
        total = connection.acknowledged()
        await asyncio.sleep(0.1)
        assert 1_000 < connection.acknowledged() == total


async def test_close_sends_the_last_bytes() -> None:
    async with connected_pair() as (connection, peer):
        await connection.send(b"music")
        await connection.close(b"goodbye")
        assert peer.recv(100) == b"musicgoodbye"


async def test_an_aborted_connection_is_reset() -> None:
    """A regular close would keep unsent bytes, and the connection, in the system for minutes."""
    async with connected_pair() as (connection, peer):
        await connection.send(b"music")
        connection.abort()
        await asyncio.sleep(0.1)
        with pytest.raises(ConnectionResetError):
            read_to_end(peer)
