"""A listener's TCP connection, configured for listeners that may stop reading at any time."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import struct
import termios

from radio.errors import StreamError
from radio.stream.relay.listener import TcpProgress

SEND_BUFFER = 64 * 1024
"""Size of the socket's send buffer in bytes: five seconds of audio."""


_ACKNOWLEDGED, _WINDOW = struct.Struct("=Q"), struct.Struct("=I")
_ESTABLISHED = 1  # TCP_ESTABLISHED in Linux's tcp_states.h
_TCP_INFO = 232
"""Bytes of Linux's `struct tcp_info` up to and including `tcpi_snd_wnd`, which was added in Linux 5.4."""


def limit_buffers(transport: asyncio.Transport) -> None:
    """Limit the buffered data to one send buffer, and have the connection reset when it is closed.

    Otherwise the system would buffer minutes of audio for a peer that does not read. After a close, it would keep the
    connection and the unsent data until the peer's window opens again.
    """
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.set_write_buffer_limits(high=SEND_BUFFER)


class Connection:
    """A `Sink` that takes over the TCP connection of a transport. The transport may then be closed.

    The transport, its protocol and the request handler take about 20 kB and a task. A socket takes almost nothing, and
    writing to it does not need the event loop.

    Raises:
        StreamError: the peer has disconnected, or the response's headers have not been sent yet.
    """

    __slots__ = ("_socket", "send")

    def __init__(self, transport: asyncio.Transport | None) -> None:
        if transport is None or transport.is_closing() or transport.get_write_buffer_size():
            raise StreamError("the connection is closed or its buffer is full")
        limit_buffers(transport)
        self._socket = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        self._socket.setblocking(False)
        self.send = self._socket.send

    def unacknowledged(self) -> int:
        """Return the number of bytes that the peer has not acknowledged (SIOCOUTQ, tcp(7))."""
        (queued,) = struct.unpack("i", fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4)))
        return int(queued)

    def tcp_progress(self) -> TcpProgress | None:
        """Return the progress from TCP_INFO (tcp(7)), or None if the system is too old to report it."""
        info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO)
        if len(info) < _TCP_INFO:
            return None
        return TcpProgress(*_ACKNOWLEDGED.unpack_from(info, 120), *_WINDOW.unpack_from(info, 228))

    def hung_up(self) -> bool:
        """Return True if a FIN or a reset has arrived, according to TCP_INFO (tcp(7))."""
        return self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != _ESTABLISHED

    def finish(self) -> None:
        """Make `close` shut the connection down gracefully: the system sends the buffered data, then a FIN."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))

    def close(self) -> None:
        """Reset the connection."""
        self._socket.close()
