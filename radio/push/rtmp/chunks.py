"""RTMP's chunk layer, which splits messages into chunks and reassembles them, without I/O.

Source: "Adobe's Real Time Messaging Protocol" 1.0, section 5.3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace

from radio.errors import StreamError

DEFAULT_CHUNK_SIZE = 128
"""Bytes of a chunk's payload until the sender announces another size."""

SENT_CHUNK_SIZE = 4_096
"""The size that we announce: less overhead than 128 bytes, without long delays of audio behind a large video frame."""

MAX_MESSAGE_BYTES = 1 << 16
"""Longest message accepted from a server; real answers have a few hundred bytes."""

MAX_CHUNK_STREAMS = 64
"""Largest number of chunk streams accepted from a server; real servers use about three."""

_HEADER_SIZES = (11, 7, 3, 0)
"""Bytes of a message header by format, 0–3 (section 5.3.1.2)."""

_EXTENDED = 0xFFFFFF
"""Timestamps of this value or more are written in a four-byte extended timestamp field (section 5.3.1.3)."""


@dataclass(frozen=True, slots=True)
class RtmpMessage:
    """A message: type (sections 5.4 and 7.1), message stream, timestamp in ms, and body."""

    kind: int
    stream: int
    time: int
    body: bytes


class ChunkWriter:
    """A splitter of messages into chunks.

    As in ffmpeg, the first message of a chunk stream carries its timestamp, and later ones carry the difference from
    the previous one. This avoids timestamps beyond 4.6 hours, which servers interpret in different ways.
    """

    def __init__(self) -> None:
        self.size = DEFAULT_CHUNK_SIZE
        self._last: dict[int, RtmpMessage] = {}

    def split(self, number: int, message: RtmpMessage) -> bytes:
        """Return the chunks of `message`.

        Args:
            number: The chunk stream, 2–63. Within one, timestamps never decrease and the message stream stays the same.
            message: The message to send.
        """
        last = self._last.get(number)
        time = (message.time if last is None else max(0, message.time - last.time)) & 0xFFFFFFFF
        self._last[number] = replace(message, body=b"")
        extended = struct.pack(">I", time) if time >= _EXTENDED else b""
        short = min(time, _EXTENDED).to_bytes(3, "big")
        header = bytes([(0x00 if last is None else 0x40) | number]) + short
        header += len(message.body).to_bytes(3, "big") + bytes([message.kind])
        if last is None:
            header += struct.pack("<I", message.stream)
        continuation = bytes([0xC0 | number]) + extended
        parts = [header + extended + message.body[: self.size]]
        for start in range(self.size, len(message.body), self.size):
            parts += (continuation, message.body[start : start + self.size])
        return b"".join(parts)


@dataclass(slots=True)
class _ChunkStream:
    """The header fields of a chunk stream, which later chunks may omit, and the part of a message received so far."""

    kind: int = 0
    stream: int = 0
    time: int = 0
    delta: int = 0
    length: int = 0
    extended: bool = False
    body: bytearray = field(default_factory=bytearray)


class ChunkReader:
    """A reader of messages from bytes that arrive in pieces of any size."""

    def __init__(self) -> None:
        self.size = DEFAULT_CHUNK_SIZE
        self._buffer = b""
        self._streams: dict[int, _ChunkStream] = {}

    def feed(self, data: bytes) -> None:
        """Add received bytes."""
        self._buffer += data

    def next(self) -> RtmpMessage | None:
        """Return the next complete message, or None. If it changes the chunk size, set `size` before the next call.

        Raises:
            StreamError: A message exceeds `MAX_MESSAGE_BYTES`, or there are too many chunk streams.
        """
        while True:
            messages = self._read_chunk()
            if messages is None:
                return None
            if messages:
                return messages[0]

    def _read_chunk(self) -> list[RtmpMessage] | None:
        """Read one chunk. Return the message that it completes, if any, in a list; None if the chunk is incomplete."""
        header = self._read_header()
        if header is None:
            return None
        number, time, stream, start = header
        if stream.length > MAX_MESSAGE_BYTES or len(self._streams) > MAX_CHUNK_STREAMS:
            raise StreamError(f"the server announced a message of {stream.length} bytes: it does not speak RTMP")
        end = start + min(self.size, stream.length - len(stream.body))
        if len(self._buffer) < end:
            return None
        if not stream.body:
            stream.time = time
        stream.body += self._buffer[start:end]
        self._buffer = self._buffer[end:]
        self._streams[number] = stream
        if len(stream.body) < stream.length:
            return []
        body, stream.body = bytes(stream.body), bytearray()
        return [RtmpMessage(stream.kind, stream.stream, stream.time & 0xFFFFFFFF, body)]

    def _read_header(self) -> tuple[int, int, _ChunkStream, int] | None:
        """Read a chunk's header.

        Returns:
            The chunk stream's number, the timestamp of a message that starts here, the chunk stream with its new
            header fields, and the offset of the payload. None if the header is incomplete.
        """
        buffer = self._buffer
        format_, number, at = (buffer[0] >> 6, buffer[0] & 0x3F, 1) if buffer else (0, 0, 0)
        if number < 2:  # the number is in the next byte, or the next two
            at = number + 2
            number = 64 + int.from_bytes(buffer[1:at], "little")
        if len(buffer) < at + _HEADER_SIZES[format_]:
            return None
        current = self._streams.get(number, _ChunkStream())
        stream = replace(current, body=current.body)
        if format_ < 3:
            stream.delta = int.from_bytes(buffer[at : at + 3], "big")
            stream.extended = stream.delta == _EXTENDED
        if format_ < 2:
            stream.length = int.from_bytes(buffer[at + 3 : at + 6], "big")
            stream.kind = buffer[at + 6]
        if format_ == 0:
            stream.stream = int.from_bytes(buffer[at + 7 : at + 11], "little")
        at += _HEADER_SIZES[format_]
        if stream.extended:
            if len(buffer) < at + 4:
                return None
            stream.delta = int.from_bytes(buffer[at : at + 4], "big")
            at += 4
        return number, stream.delta + (0 if format_ == 0 else stream.time), stream, at
