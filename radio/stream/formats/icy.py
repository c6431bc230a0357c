"""Titles in the bytes of a stream, as SHOUTcast began it and every hardware radio reads it.

After every `METAINT` bytes of audio, counted from the start of the response, one byte says how many 16-byte pieces of
metadata follow: none, when the title has not changed. (There is no standard; this is what Icecast sends and players
read.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from radio.stream.chunk import Chunk
from radio.types import Frames

METAINT = 16_000
"""Bytes of audio between two places for metadata: 0.7 s at 192 kbit/s."""

_PIECE = 16
_LONGEST = 255 * _PIECE


class IcyInserter:
    """One listener's metadata.

    Args:
        title_at: The title that sounds at a frame, or none.
    """

    def __init__(self, title_at: Callable[[Frames], str | None]) -> None:
        self._title_at = title_at
        self._left = METAINT
        self._said: str | None = None

    def insert(self, chunks: Sequence[Chunk]) -> bytes:
        """The bytes of `chunks` with metadata where it is due: the title of the audio that comes right after it."""
        woven: list[bytes] = []
        for chunk in chunks:
            data, at = chunk.data, 0
            while len(data) - at >= self._left:
                woven.append(data[at : at + self._left])
                at += self._left
                woven.append(self._metadata(chunk.frame + chunk.frames * at // len(data)))
                self._left = METAINT
            woven.append(data[at:])
            self._left -= len(data) - at
        return b"".join(woven)

    def _metadata(self, frame: Frames) -> bytes:
        title = self._title_at(frame)
        if title is None or title == self._said:
            return b"\0"
        self._said = title
        return metadata(title)


def metadata(title: str) -> bytes:
    """A title with the byte that says how long it is. Quotes would end it, and become what looks like them."""
    before, after = b"StreamTitle='", b"';"
    text = " ".join(title.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}").split()).encode(errors="replace")
    text = text[: _LONGEST - len(before) - len(after)].decode(errors="ignore").encode()
    block = before + text + after
    pieces = -(-len(block) // _PIECE)
    return bytes([pieces]) + block.ljust(pieces * _PIECE, b"\0")
