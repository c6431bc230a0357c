"""Ogg pages that carry Opus, laid in pure code (RFC 3533, RFC 7845).

The pages of a mount are laid once and shared by all its listeners, so serial, sequence and granule position are the
mount's. A listener who joins later gets the same two header pages and then the page that is due, with its high numbers:
one logical stream for as long as the connection lasts. The headers keep the numbers 0 and 1 although pages are missing
after them: libogg takes a first page of any other number for a hole in the data and loses the headers (VLC plays
nothing then), while a hole after the headers is what Icecast's listeners have always got, and is reported at most.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from radio.errors import StreamError
from radio.types import SAMPLE_RATE, Frames, Packet

FIRST_SEQUENCE = 2
"""Sequence number of a mount's first audio page: the headers take 0 and 1."""

PRE_SKIP: Frames = 3_840
"""What a decoder throws away at first, 80 ms: who joins in mid-stream must give it time to converge (RFC 7845, 4.2)."""

_HEADER = struct.Struct("<4sBBqIIIB")
_BEGIN, _END = 0x02, 0x04
_MAX_SEGMENTS = 255
_MASK = 0xFFFFFFFF
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def crc(data: bytes) -> int:
    """Ogg's checksum: CRC-32 of polynomial 0x04c11db7, unreflected, from zero, not inverted (RFC 3533, section 6).

    zlib computes the reflected, inverted form of the same polynomial, in C. Reversing the bits of every byte on the way
    in and of the sum on the way out undoes the reflection, and the two exclusive-ors the inversion.
    """
    reflected = zlib.crc32(data.translate(_REVERSED), _MASK) ^ _MASK
    return int.from_bytes(reflected.to_bytes(4, "little").translate(_REVERSED), "big")


def lacing(length: int) -> bytes:
    """The segment table of one packet: 255 as often as it goes, then the rest, which may be 0 (RFC 3533, section 5)."""
    return b"\xff" * (length // 255) + bytes([length % 255])


def build_page(
    packets: Sequence[bytes], *, serial: int, sequence: int, granule: int, begin: bool = False, end: bool = False
) -> bytes:
    """One page of whole packets.

    Args:
        packets: The packets that begin and end on this page.
        serial: The logical stream, 32 bits.
        sequence: The page's number within it, taken modulo 2³².
        granule: Frames decoded when the page has been, the pre-skip included.
        begin: This is the stream's first page.
        end: This is the stream's last page.

    Raises:
        StreamError: The packets need more than 255 segments.
    """
    table = b"".join(lacing(len(packet)) for packet in packets)
    if len(table) > _MAX_SEGMENTS:
        raise StreamError(f"{len(packets)} packets need {len(table)} segments, an Ogg page holds {_MAX_SEGMENTS}")
    flags = (_BEGIN if begin else 0) | (_END if end else 0)
    header = _HEADER.pack(b"OggS", 0, flags, granule, serial, sequence & _MASK, 0, len(table))
    page = b"".join((header, table, *packets))
    return page[:22] + crc(page).to_bytes(4, "little") + page[26:]


def opus_head(pre_skip: Frames = PRE_SKIP) -> bytes:
    """The identification header: version 1, stereo, 48 kHz, no gain, mapping family 0 (RFC 7845, section 5.1)."""
    return struct.pack("<8sBBHIhB", b"OpusHead", 1, 2, pre_skip, SAMPLE_RATE, 0, 0)


def opus_tags(vendor: str, comments: Sequence[str] = ()) -> bytes:
    """The comment header; `comments` are `NAME=value` (RFC 7845, section 5.2)."""
    texts = [text.encode() for text in (vendor, *comments)]
    lengths = [struct.pack("<I", len(text)) + text for text in texts]
    return b"".join((b"OpusTags", lengths[0], struct.pack("<I", len(comments)), *lengths[1:]))


def header_pages(*, serial: int, comments: Sequence[str] = ()) -> bytes:
    """The two pages that every listener gets first, whatever page comes after them."""
    head = build_page([opus_head()], serial=serial, sequence=0, granule=0, begin=True)
    return head + build_page([opus_tags("radio", comments)], serial=serial, sequence=1, granule=0)


class Pager:
    """Lays a mount's packets on its pages, which it numbers.

    Granule positions count from the frame of the first packet. Where packets are missing they do not jump: a player
    that met a hole in time would fall silent for as long, instead of playing on. After `rest` they do, as pages show
    by them which frame is heard.
    """

    def __init__(self, *, serial: int) -> None:
        self._serial = serial
        self._sequence = FIRST_SEQUENCE
        self._granule: Frames | None = None

    def restart(self) -> None:
        """Nobody who has had a page gets the next one: count from the frame of its first packet again."""
        self._granule = None

    def next_page(self, packets: Sequence[Packet]) -> bytes:
        """The next page."""
        begin = packets[0].frame if self._granule is None else self._granule
        self._granule = begin + sum(packet.frames for packet in packets)
        data = [packet.data for packet in packets]
        page = build_page(data, serial=self._serial, sequence=self._sequence, granule=self._granule)
        self._sequence += 1
        return page
