"""A connection to a server that we send to, and how much of what we sent has arrived."""

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

from radio.errors import StreamError
from radio.settings.push_target import Target
from radio.types import Seconds

CONNECT_TIMEOUT: Final[Seconds] = 10.0
"""How long a server may take to let us in."""

_FAREWELL: Final[Seconds] = 2.0
_HIGH_WATER: Final = 1 << 18
"""Bytes that may wait in our process: less than a second of picture."""


@contextlib.asynccontextmanager
async def connected(target: Target) -> AsyncIterator[ServerConnection]:
    """Open a connection for a login block, which has `CONNECT_TIMEOUT` seconds; close it only if the block fails.

    Raises:
        StreamError: The host cannot be reached, is not who it claims to be, or took too long.
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
            raise StreamError(f"{target.netloc} did not let us in within {CONNECT_TIMEOUT:g} s") from error
        raise


class ServerConnection:
    """A TCP or TLS connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer
        self._sent = 0
        self._arrived = 0
        self._socket: socket.socket = writer.get_extra_info("socket")
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A close with bytes unsent is a reset: the system would otherwise keep them, and the connection, for minutes.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.set_write_buffer_limits(high=_HIGH_WATER)

    @classmethod
    async def open(cls, target: Target) -> ServerConnection:
        """Connect.

        Raises:
            StreamError: The host is not known, or nobody answers there, or it is not who it claims to be.
        """
        # The system's certificates, and the host's name checked: whoever could pretend to be it would get the key.
        # They are some hundred files, so they are not read on the event loop.
        context = await asyncio.to_thread(ssl.create_default_context) if target.is_secure else None
        try:
            return cls(*await asyncio.open_connection(target.host, target.port, ssl=context))
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", "") or error.reason or "it does not speak TLS"
            raise StreamError(f"{target.netloc} cannot be trusted: {reason}") from error
        except OSError as error:
            raise StreamError(f"{target.netloc} cannot be reached: {error.strerror or error}") from error

    async def send(self, data: bytes) -> None:
        """Send; waits while too much is on its way already.

        Raises:
            StreamError: The server has closed the connection.
        """
        self._writer.write(data)
        self._sent += len(data)
        try:
            await self._writer.drain()
        except OSError as error:
            raise StreamError("the server closed the connection") from error

    def arrived(self) -> int:
        """Bytes that the other side's system has acknowledged (SIOCOUTQ, tcp(7))."""
        if not self._writer.is_closing():
            (queued,) = struct.unpack("i", fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4)))
            waiting = queued + self._writer.transport.get_write_buffer_size()
            # With TLS the system counts its records, which are a little longer: what has arrived never becomes less.
            self._arrived = max(self._arrived, self._sent - waiting)
        return self._arrived

    async def close(self, farewell: bytes = b"") -> None:
        """Take leave, and end the connection however the other side takes it."""
        with contextlib.suppress(OSError, TimeoutError, StreamError):
            async with asyncio.timeout(_FAREWELL):
                if farewell:
                    await self.send(farewell)
                while self.arrived() < self._sent and not self._writer.is_closing():  # noqa: ASYNC110 — nobody tells us
                    await asyncio.sleep(0.02)
        self.abort()

    def abort(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()
