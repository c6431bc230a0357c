"""FLV as the encoder writes it: tags, whose bodies are RTMP's messages (Adobe, "Video File Format" 10.1, annex E)."""

from __future__ import annotations

from dataclasses import dataclass

from radio.errors import StreamError

AUDIO, VIDEO, DATA = 8, 9, 18
"""Kinds of tags; RTMP numbers its messages alike."""
_FILE_HEADER = 9
_TAG_HEADER = 11
_SIZE_AFTER = 4
_AAC, _AVC = 10, 7
_KEY_FRAME = 1
_HEADER, _PICTURE = 0, 1
"""What a tag of AVC or AAC holds; 2 is the end of a stream."""
_TURN = 1 << 31
MAX_TAG_BYTES = 1 << 22
"""Bytes of a tag: a key frame at the highest rate has a tenth of it."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: AUDIO, VIDEO or DATA, its time in ms, and its body."""

    kind: int
    time: int
    body: bytes

    @property
    def is_header(self) -> bool:
        """Whether it says how the ones that follow are decoded, so that every new connection needs it first."""
        if self.kind == DATA:
            return True
        codec = self.body[0] >> 4 if self.kind == AUDIO else self.body[0] & 0x0F
        return codec in {_AAC, _AVC} and self.body[1] == _HEADER

    @property
    def is_key(self) -> bool:
        """Whether a decoder can begin here."""
        return self.kind == VIDEO and self.body[0] >> 4 == _KEY_FRAME and self.body[1] == _PICTURE


class Tags:
    """Turns the bytes of an FLV file, however they were cut on the way, into its tags."""

    def __init__(self) -> None:
        self._buffer = b""
        self._last = 0
        self._skip = _FILE_HEADER + _SIZE_AFTER

    def feed(self, data: bytes) -> list[Tag]:
        """The tags that `data` completes.

        Raises:
            StreamError: It is no FLV.
        """
        self._buffer += data
        tags = []
        at = 0
        if self._skip:
            if len(self._buffer) < self._skip:
                return []
            if not self._buffer.startswith(b"FLV\x01"):
                raise StreamError("the encoder wrote something else than FLV")
            at, self._skip = self._skip, 0
        while len(self._buffer) >= at + _TAG_HEADER:
            head = self._buffer[at : at + _TAG_HEADER]
            length = int.from_bytes(head[1:4], "big")
            if head[0] not in {AUDIO, VIDEO, DATA} or not 2 <= length <= MAX_TAG_BYTES:
                raise StreamError(f"the encoder wrote a tag of kind {head[0]} with {length} bytes")
            end = at + _TAG_HEADER + length
            if len(self._buffer) < end + _SIZE_AFTER:
                break
            time = self._unwrapped(int.from_bytes(head[4:7], "big") | head[7] << 24)
            tags.append(Tag(head[0], time, self._buffer[at + _TAG_HEADER : end]))
            at = end + _SIZE_AFTER
        self._buffer = self._buffer[at:]
        return tags

    def _unwrapped(self, time: int) -> int:
        """Times are written in 31 bits: after 24 days and 20 hours they begin at 0 again, and the nearest is meant."""
        self._last = time + round((self._last - time) / _TURN) * _TURN
        return self._last
