"""FLV tags, whose bodies are those of RTMP messages.

Source: Adobe, "Video File Format Specification" 10.1, annex E.
"""

from __future__ import annotations

from dataclasses import dataclass

from radio.errors import StreamError

AUDIO, VIDEO, DATA = 8, 9, 18
"""Types of tags, and of RTMP messages."""
_FILE_HEADER_SIZE = 9
_TAG_HEADER_SIZE = 11
_TRAILER_SIZE = 4
"""Each tag is followed by its size."""
_AAC, _AVC = 10, 7
_KEY_FRAME = 1
_CODEC_HEADER, _PICTURE = 0, 1
"""Types of AVC and AAC packets; 2 ends a stream."""
_WRAP = 1 << 31
MAX_TAG_BYTES = 1 << 22
"""Longest tag accepted from the encoder; a key frame at the highest bit rate is a tenth of it."""


@dataclass(frozen=True, slots=True)
class Tag:
    """An FLV tag: type (AUDIO, VIDEO or DATA), timestamp in ms, and body."""

    kind: int
    time: int
    body: bytes

    @property
    def is_header(self) -> bool:
        """True if the tag configures the decoder. Each new connection starts with these tags."""
        if self.kind == DATA:
            return True
        codec = self.body[0] >> 4 if self.kind == AUDIO else self.body[0] & 0x0F
        return codec in {_AAC, _AVC} and self.body[1] == _CODEC_HEADER

    @property
    def is_key(self) -> bool:
        """True if the tag is a key frame, where decoding can start."""
        return self.kind == VIDEO and self.body[0] >> 4 == _KEY_FRAME and self.body[1] == _PICTURE


class TagReader:
    """A reader of tags from an FLV file that arrives in pieces of any size."""

    def __init__(self) -> None:
        self._buffer = b""
        self._last_time = 0
        self._skip = _FILE_HEADER_SIZE + _TRAILER_SIZE

    def feed(self, data: bytes) -> list[Tag]:
        """Return the tags that `data` completes.

        Raises:
            StreamError: The data is not FLV.
        """
        self._buffer += data
        tags = []
        at = 0
        if self._skip:
            if len(self._buffer) < self._skip:
                return []
            if not self._buffer.startswith(b"FLV\x01"):
                raise StreamError("the encoder wrote data that is not FLV")
            at, self._skip = self._skip, 0
        while len(self._buffer) >= at + _TAG_HEADER_SIZE:
            header = self._buffer[at : at + _TAG_HEADER_SIZE]
            length = int.from_bytes(header[1:4], "big")
            if header[0] not in {AUDIO, VIDEO, DATA} or not 2 <= length <= MAX_TAG_BYTES:
                raise StreamError(f"the encoder wrote an FLV tag of unknown type {header[0]} or length {length}")
            end = at + _TAG_HEADER_SIZE + length
            if len(self._buffer) < end + _TRAILER_SIZE:
                break
            time = self._unwrapped(int.from_bytes(header[4:7], "big") | header[7] << 24)
            tags.append(Tag(header[0], time, self._buffer[at + _TAG_HEADER_SIZE : end]))
            at = end + _TRAILER_SIZE
        self._buffer = self._buffer[at:]
        return tags

    def _unwrapped(self, time: int) -> int:
        """Return the full timestamp nearest to the last one, as 31 bits wrap after 24 days and 20 hours."""
        self._last_time = time + round((self._last_time - time) / _WRAP) * _WRAP
        return self._last_time
