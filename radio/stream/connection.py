"""A listener's connection, prepared for one who may stop reading at any time."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios

SEND_BUFFER = 64 * 1024
"""Size of the socket's own buffer in bytes: five seconds of audio."""


def limit_buffers(transport: asyncio.Transport) -> None:
    """Let the system hold no more than a send buffer, and let a close be a reset.

    It would otherwise take minutes of audio for a peer that reads nothing, and after a close it would keep what is
    unsent, and the connection, until that peer's window opens again.
    """
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.set_write_buffer_limits(high=SEND_BUFFER)


class Connection:
    """The `Sink` of a TCP transport, with limited buffers."""

    def __init__(self, transport: asyncio.Transport) -> None:
        limit_buffers(transport)
        self._socket: socket.socket = transport.get_extra_info("socket")
        self.write = transport.write
        self.waiting = transport.get_write_buffer_size
        self.is_closing = transport.is_closing
        self.abort = transport.abort

    def unacknowledged(self) -> int:
        """Bytes that wait in the transport, and in the system for the peer's acknowledgement (SIOCOUTQ, tcp(7))."""
        if self.is_closing():
            return 0
        (queued,) = struct.unpack("i", fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4)))
        return int(queued) + self.waiting()
