"""A TCP or TLS connection to a server, with a count of the bytes that the server has acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import ssl
import struct
import termios
from collections.abc import AsyncIterator
from typing import Final

import aiohappyeyeballs

from radio.errors import StreamError
from radio.settings.push_target import Target
from radio.types import Seconds

CONNECT_TIMEOUT: Final[Seconds] = 10.0
"""Time limit for connecting and logging in."""

_HAPPY_EYEBALLS_DELAY: Final[Seconds] = 0.25
"""Time to wait for one address of a host before trying the next one too (RFC 8305), as IPv6 may be broken."""
_CLOSE_TIMEOUT: Final[Seconds] = 2.0
_HIGH_WATER: Final = 1 << 18
"""Largest number of bytes in the write buffer: less than a second of video."""


@contextlib.asynccontextmanager
async def connected(target: Target) -> AsyncIterator[ServerConnection]:
    """Open a connection for a block that logs in, and close it only if the block fails.

    Raises:
        StreamError: The host cannot be reached, its certificate is not trusted, or `CONNECT_TIMEOUT` has passed.
    """
    connection = None
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            connection = await ServerConnection.open(target)
            yield connection
    except BaseException as error:
        if connection is not None:
            connection.abort()
        if isinstance(error, TimeoutError):
            raise StreamError(f"{target.netloc} did not accept the connection within {CONNECT_TIMEOUT:g} s") from error
        raise


async def _connect(host: str, port: int) -> socket.socket:
    """Connect to the first address of a host that answers.

    `asyncio.open_connection` does the same, but before Python 3.12.8 it leaves a socket open if it is cancelled.
    """
    addresses = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=_HAPPY_EYEBALLS_DELAY)


class ServerConnection:
    """A TCP or TLS connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer
        self._sent = 0
        self._acknowledged = 0
        self._socket: socket.socket = writer.get_extra_info("socket")
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Reset if closed with unsent bytes: the system would otherwise keep the connection open for minutes.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.set_write_buffer_limits(high=_HIGH_WATER)

    @classmethod
    async def open(cls, target: Target) -> ServerConnection:
        """Connect to a server.

        Raises:
            StreamError: The host is unknown, does not answer, or its certificate is not trusted.
        """
        # The certificate must be trusted and match the host name: an impostor would receive the stream key.
        # Loading the system's certificates reads a few hundred files, so it runs in a thread.
        context = await asyncio.to_thread(ssl.create_default_context) if target.is_secure else None
        try:
            connection = await _connect(target.host, target.port)
            hostname = target.host if context else None
            return cls(*await asyncio.open_connection(sock=connection, ssl=context, server_hostname=hostname))
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", "") or error.reason or "the server does not speak TLS"
            raise StreamError(f"{target.netloc} cannot be trusted: {reason}") from error
        except OSError as error:
            raise StreamError(f"{target.netloc} cannot be reached: {error.strerror or error}") from error

    async def send(self, data: bytes) -> None:
        """Send bytes; wait while the write buffer is full.

        Raises:
            StreamError: The server has closed the connection.
        """
        self._writer.write(data)
        self._sent += len(data)
        try:
            await self._writer.drain()
        except OSError as error:
            raise StreamError("the server closed the connection") from error

    def acknowledged(self) -> int:
        """Return the number of bytes that the server's system has acknowledged (SIOCOUTQ, tcp(7))."""
        if not self._writer.is_closing():
            (queued,) = struct.unpack("i", fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4)))
            unsent = queued + self._writer.transport.get_write_buffer_size()
            # TLS records are longer than their content, so the difference may decrease; the count must not.
            self._acknowledged = max(self._acknowledged, self._sent - unsent)
        return self._acknowledged

    async def close(self, last_bytes: bytes = b"") -> None:
        """Send `last_bytes`, wait briefly for them to be acknowledged, and end the connection."""
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                if last_bytes:
                    await self.send(last_bytes)
                while self.acknowledged() < self._sent and not self._writer.is_closing():  # noqa: ASYNC110 — no event for it
                    await asyncio.sleep(0.02)
        except (OSError, StreamError):  # a TimeoutError is an OSError
            pass
        finally:
            self.abort()

    def abort(self) -> None:
        """End the connection immediately."""
        self._writer.transport.abort()
