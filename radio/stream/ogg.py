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
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Page:
    """One Ogg page of a mount: its number, the mount's frame that its first packet starts at, and how long it lasts."""

    sequence: int
    frame: Frames
    frames: Frames
    data: bytes

    @property
    def end(self) -> Frames:
        return self.frame + self.frames


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


def lay_page(
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
    head = lay_page([opus_head()], serial=serial, sequence=0, granule=0, begin=True)
    return head + lay_page([opus_tags("radio", comments)], serial=serial, sequence=1, granule=0)


class Pager:
    """Gathers a mount's packets into pages and keeps its time line whole when a station starts again.

    A station counts its frames from its own start; the mount goes on counting. `offset` is what turns one into the
    other: mount frame = station frame + offset.
    """

    def __init__(self, *, serial: int, packets: int = 4) -> None:
        self._serial = serial
        self._packets = packets
        self._waiting: list[Packet] = []
        self._sequence = FIRST_SEQUENCE
        self._next: Frames = 0
        self.offset: Frames = 0

    @property
    def position(self) -> Frames:
        """The mount's frame that the next packet will start at."""
        return self._next

    def rebase(self, station_frame: Frames) -> None:
        """From here on the packets are those of a station whose next packet starts at `station_frame`."""
        self.offset = self._next - station_frame

    def add(self, packet: Packet) -> Page | None:
        """Take the station's next packet; return the page that it completes.

        Raises:
            StreamError: The packet does not start where the one before it ended.
        """
        frame = packet.frame + self.offset
        if frame != self._next:
            raise StreamError(f"a packet starts at frame {frame} of the mount where {self._next} was due")
        self._next = frame + packet.frames
        self._waiting.append(packet)
        if len(self._waiting) < self._packets:
            return None
        return self._lay()

    def _lay(self) -> Page:
        frames = sum(packet.frames for packet in self._waiting)
        data = lay_page(
            [packet.data for packet in self._waiting], serial=self._serial, sequence=self._sequence, granule=self._next
        )
        page = Page(self._sequence, self._next - frames, frames, data)
        self._waiting.clear()
        self._sequence += 1
        return page
