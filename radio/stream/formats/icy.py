"""ICY metadata: track titles within the stream, introduced by SHOUTcast and read by hardware radios.

After every `METAINT` bytes of audio, counted from the start of the response, one byte gives the number of 16-byte
blocks of metadata that follow. It is 0 if the title has not changed. There is no standard; this is the format that
Icecast sends and players read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from radio.stream.chunk import Chunk
from radio.types import Frames

METAINT = 16_000
"""Bytes of audio between metadata blocks: 0.7 s at 192 kbit/s."""

_BLOCK_SIZE = 16
_MAX_LENGTH = 255 * _BLOCK_SIZE


class IcyInserter:
    """An inserter of ICY metadata into the stream of one listener.

    Args:
        title_at: returns the title at a frame, or None.
    """

    def __init__(self, title_at: Callable[[Frames], str | None]) -> None:
        self._title_at = title_at
        self._remaining = METAINT
        self._sent_title: str | None = None

    def insert(self, chunks: Sequence[Chunk]) -> bytes:
        """Return the bytes of `chunks` with metadata; each title applies to the audio that follows it."""
        parts: list[bytes] = []
        for chunk in chunks:
            data, at = chunk.data, 0
            while len(data) - at >= self._remaining:
                parts.append(data[at : at + self._remaining])
                at += self._remaining
                parts.append(self._metadata(chunk.frame + chunk.frames * at // len(data)))
                self._remaining = METAINT
            parts.append(data[at:])
            self._remaining -= len(data) - at
        return b"".join(parts)

    def _metadata(self, frame: Frames) -> bytes:
        title = self._title_at(frame)
        if title is None or title == self._sent_title:
            return b"\0"
        self._sent_title = title
        return metadata(title)


def metadata(title: str) -> bytes:
    """Return the metadata block for a title, including its length byte.

    A straight quotation mark would end the title, so it is replaced with a typographic one.
    """
    prefix, suffix = b"StreamTitle='", b"';"
    text = " ".join(title.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}").split()).encode(errors="replace")
    text = text[: _MAX_LENGTH - len(prefix) - len(suffix)].decode(errors="ignore").encode()
    block = prefix + text + suffix
    count = -(-len(block) // _BLOCK_SIZE)
    return bytes([count]) + block.ljust(count * _BLOCK_SIZE, b"\0")
