"""RTMP's chunk stream: messages cut into chunks and put together again, without any I/O.

Source: "Adobe's Real Time Messaging Protocol", 1.0, section 5.3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace

from radio.errors import StreamError

DEFAULT_CHUNK_SIZE = 128
"""Bytes of a chunk's body until one side announces another size."""

SENT_CHUNK_SIZE = 4_096
"""What we announce: less overhead than 128, and still no message that makes others wait."""

MAX_MESSAGE_BYTES = 1 << 16
"""Bytes of a message that a server may send us; its answers have some hundreds."""

MAX_CHANNELS = 64
"""Channels that a server may use; it needs three or so."""

_HEADERS = (11, 7, 3, 0)
"""Bytes of a chunk's header by its form, 0–3, after the channel's number."""

_EXTENDED = 0xFFFFFF
"""A time of so many milliseconds or more stands in four bytes of its own."""


@dataclass(frozen=True, slots=True)
class RtmpMessage:
    """One message: what it is (section 5.4 and 7.1), whose stream it belongs to, its time in ms, and its body."""

    kind: int
    stream: int
    time: int
    body: bytes


class ChunkWriter:
    """Cuts messages into chunks.

    A channel's first message carries its time, those that follow carry what has passed since, as ffmpeg's do: times of
    more than 4.6 hours, which servers read in more than one way, never stand in a chunk.
    """

    def __init__(self) -> None:
        self.size = DEFAULT_CHUNK_SIZE
        self._last: dict[int, RtmpMessage] = {}

    def cut(self, channel: int, message: RtmpMessage) -> bytes:
        """The chunks of `message` on a channel, 2–63, on which times never go back and the stream never changes."""
        last = self._last.get(channel)
        time = (message.time if last is None else max(0, message.time - last.time)) & 0xFFFFFFFF
        self._last[channel] = replace(message, body=b"")
        extended = struct.pack(">I", time) if time >= _EXTENDED else b""
        short = min(time, _EXTENDED).to_bytes(3, "big")
        head = bytes([(0x00 if last is None else 0x40) | channel]) + short
        head += len(message.body).to_bytes(3, "big") + bytes([message.kind])
        if last is None:
            head += struct.pack("<I", message.stream)
        again = bytes([0xC0 | channel]) + extended
        parts = [head + extended + message.body[: self.size]]
        for start in range(self.size, len(message.body), self.size):
            parts += (again, message.body[start : start + self.size])
        return b"".join(parts)


@dataclass(slots=True)
class _Channel:
    """What the chunks of a channel leave out because it was the same before."""

    kind: int = 0
    stream: int = 0
    time: int = 0
    delta: int = 0
    length: int = 0
    extended: bool = False
    body: bytearray = field(default_factory=bytearray)


class ChunkReader:
    """Puts messages together, however their bytes were cut on the way."""

    def __init__(self) -> None:
        self.size = DEFAULT_CHUNK_SIZE
        self._buffer = b""
        self._channels: dict[int, _Channel] = {}

    def feed(self, data: bytes) -> None:
        """Add what came in."""
        self._buffer += data

    def next(self) -> RtmpMessage | None:
        """The next whole message, or None until more has come. One at a time, for a message may change `size`.

        Raises:
            StreamError: A message too long for anything a server has to say.
        """
        while True:
            known = self._chunk()
            if known is None:
                return None
            if known:
                return known[0]

    def _chunk(self) -> list[RtmpMessage] | None:
        """Take one chunk: None when it has not come whole, else the message that it completes, if any."""
        head = self._head()
        if head is None:
            return None
        number, begins_at, channel, at = head
        if channel.length > MAX_MESSAGE_BYTES or len(self._channels) > MAX_CHANNELS:
            raise StreamError(f"the server announced a message of {channel.length} bytes: it speaks something else")
        end = at + min(self.size, channel.length - len(channel.body))
        if len(self._buffer) < end:
            return None
        if not channel.body:
            channel.time = begins_at
        channel.body += self._buffer[at:end]
        self._buffer = self._buffer[end:]
        self._channels[number] = channel
        if len(channel.body) < channel.length:
            return []
        body, channel.body = bytes(channel.body), bytearray()
        return [RtmpMessage(channel.kind, channel.stream, channel.time & 0xFFFFFFFF, body)]

    def _head(self) -> tuple[int, int, _Channel, int] | None:
        """The channel's number, the time of a message that begins here, the channel as it will be, where the body is.

        None when the header has not come whole.
        """
        buffer = self._buffer
        form, number, at = (buffer[0] >> 6, buffer[0] & 0x3F, 1) if buffer else (0, 0, 0)
        if number < 2:  # it stands in one more byte, or two
            at = number + 2
            number = 64 + int.from_bytes(buffer[1:at], "little")
        if len(buffer) < at + _HEADERS[form]:
            return None
        known = self._channels.get(number, _Channel())
        channel = replace(known, body=known.body)
        if form < 3:
            channel.delta = int.from_bytes(buffer[at : at + 3], "big")
            channel.extended = channel.delta == _EXTENDED
        if form < 2:
            channel.length = int.from_bytes(buffer[at + 3 : at + 6], "big")
            channel.kind = buffer[at + 6]
        if form == 0:
            channel.stream = int.from_bytes(buffer[at + 7 : at + 11], "little")
        at += _HEADERS[form]
        if channel.extended:
            if len(buffer) < at + 4:
                return None
            channel.delta = int.from_bytes(buffer[at : at + 4], "big")
            at += 4
        return number, channel.delta + (0 if form == 0 else channel.time), channel, at
