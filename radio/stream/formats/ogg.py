"""A muxer for Ogg pages with Opus packets (RFC 3533, RFC 7845).

The pages of a mount are built once and shared by all its listeners, so serial number, sequence numbers and granule
positions belong to the mount. A listener that joins later gets the two header pages and then the current page, with its
high numbers; this is one logical stream as long as the connection lasts. The headers have the numbers 0 and 1, although
pages are missing after them: libogg treats a first page with any other number as a gap and loses the headers (VLC then
plays nothing). Icecast leaves the same gap after the headers; players at most report it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from radio.errors import StreamError
from radio.types import SAMPLE_RATE, Frames, Packet

FIRST_SEQUENCE = 2
"""Sequence number of a mount's first audio page; the headers have 0 and 1."""

PRE_SKIP: Frames = 3_840
"""Frames that a decoder discards at first (80 ms), because in mid-stream it must converge (RFC 7845, 4.2)."""

_HEADER = struct.Struct("<4sBBqIIIB")
_BEGIN = 0x02
_MAX_SEGMENTS = 255
_MASK = 0xFFFFFFFF
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def crc(data: bytes) -> int:
    """Return Ogg's checksum: CRC-32 with polynomial 0x04c11db7, not reflected, not inverted (RFC 3533, section 6).

    zlib computes the reflected, inverted form with the same polynomial, in C. Reversing the bits of each input byte and
    of the result undoes the reflection, and the two exclusive-ors undo the inversion.
    """
    reflected = zlib.crc32(data.translate(_REVERSED), _MASK) ^ _MASK
    return int.from_bytes(reflected.to_bytes(4, "little").translate(_REVERSED), "big")


def lacing(length: int) -> bytes:
    """Return the segment table of one packet: repeated 255, then the remainder, possibly 0 (RFC 3533, section 5)."""
    return b"\xff" * (length // 255) + bytes([length % 255])


def build_page(packets: Sequence[bytes], *, serial: int, sequence: int, granule: int, begin: bool = False) -> bytes:
    """Return a page of complete packets.

    Args:
        packets: the packets of the page.
        serial: the serial number of the logical stream, 32 bits.
        sequence: the sequence number of the page, taken modulo 2³².
        granule: frames decoded up to the end of the page, including the pre-skip.
        begin: marks the first page of the stream.

    Raises:
        StreamError: the packets need more than 255 segments.
    """
    table = b"".join(lacing(len(packet)) for packet in packets)
    if len(table) > _MAX_SEGMENTS:
        raise StreamError(f"{len(packets)} packets need {len(table)} segments, but an Ogg page holds {_MAX_SEGMENTS}")
    header = _HEADER.pack(b"OggS", 0, _BEGIN if begin else 0, granule, serial, sequence & _MASK, 0, len(table))
    page = b"".join((header, table, *packets))
    return page[:22] + crc(page).to_bytes(4, "little") + page[26:]


def opus_head() -> bytes:
    """Return the identification header: version 1, stereo, 48 kHz, no gain, mapping family 0 (RFC 7845, 5.1)."""
    return struct.pack("<8sBBHIhB", b"OpusHead", 1, 2, PRE_SKIP, SAMPLE_RATE, 0, 0)


def opus_tags(vendor: str, comments: Sequence[str] = ()) -> bytes:
    """Return the comment header; comments have the form `NAME=value` (RFC 7845, section 5.2)."""
    texts = [text.encode() for text in (vendor, *comments)]
    lengths = [struct.pack("<I", len(text)) + text for text in texts]
    return b"".join((b"OpusTags", lengths[0], struct.pack("<I", len(comments)), *lengths[1:]))


def header_pages(*, serial: int, comments: Sequence[str] = ()) -> bytes:
    """Return the two header pages that every listener gets first."""
    head = build_page([opus_head()], serial=serial, sequence=0, granule=0, begin=True)
    return head + build_page([opus_tags("radio", comments)], serial=serial, sequence=1, granule=0)


class Pager:
    """A builder of the numbered pages of a mount.

    Granule positions count from the frame of the first packet. They do not jump at a gap, because a player would be
    silent for the length of the gap instead of playing on. After `restart` they start from the next packet's frame, so
    that they again indicate the frame being played.
    """

    def __init__(self, *, serial: int) -> None:
        self._serial = serial
        self._sequence = FIRST_SEQUENCE
        self._granule: Frames | None = None

    def restart(self) -> None:
        """Set the granule position from the next packet. No listener may get pages from before and after this."""
        self._granule = None

    def next_page(self, packets: Sequence[Packet]) -> bytes:
        """Return the next page."""
        begin = packets[0].frame if self._granule is None else self._granule
        self._granule = begin + sum(packet.frames for packet in packets)
        data = [packet.data for packet in packets]
        page = build_page(data, serial=self._serial, sequence=self._sequence, granule=self._granule)
        self._sequence += 1
        return page
