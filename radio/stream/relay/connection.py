"""A listener's connection, prepared for one who may stop reading at any time."""

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
"""Size of the socket's own buffer in bytes: five seconds of audio."""


_ACKNOWLEDGED, _WINDOW = struct.Struct("=Q"), struct.Struct("=I")
_ESTABLISHED = 1  # TCP_ESTABLISHED in Linux's tcp_states.h
_TCP_INFO = 232
"""Bytes of Linux's `struct tcp_info` up to and with `tcpi_snd_wnd`, which came with 5.4."""


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
    """The `Sink` of a TCP connection that is taken over from its transport, which may then be closed.

    The transport, its protocol and whatever serves the request take some 20 kB and a task; a socket takes nearly
    nothing, and writing to it no turn of the event loop.

    Raises:
        StreamError: The peer is gone, or has not even taken the response's headers.
    """

    __slots__ = ("_socket", "send")

    def __init__(self, transport: asyncio.Transport | None) -> None:
        if transport is None or transport.is_closing() or transport.get_write_buffer_size():
            raise StreamError("the connection takes no bytes")
        limit_buffers(transport)
        self._socket = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        self._socket.setblocking(False)
        self.send = self._socket.send

    def unacknowledged(self) -> int:
        """Bytes that wait for the peer's acknowledgement (SIOCOUTQ, tcp(7))."""
        (queued,) = struct.unpack("i", fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4)))
        return int(queued)

    def tcp_progress(self) -> TcpProgress | None:
        """What TCP_INFO says (tcp(7)); none where the system is too old to say it."""
        info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO)
        if len(info) < _TCP_INFO:
            return None
        return TcpProgress(*_ACKNOWLEDGED.unpack_from(info, 120), *_WINDOW.unpack_from(info, 228))

    def hung_up(self) -> bool:
        """Whether a FIN or a reset has come, by the connection's state (TCP_INFO, tcp(7))."""
        return self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != _ESTABLISHED

    def close(self) -> None:
        """Reset the connection."""
        self._socket.close()
