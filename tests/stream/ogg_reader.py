"""A small strict Ogg reader, independent of the muxer, with a bitwise checksum."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class ReadPage:
    """The fields of an Ogg page, and its bytes."""

    flags: int
    granule: int
    serial: int
    sequence: int
    packets: list[bytes]
    raw: bytes


def slow_crc(data: bytes) -> int:
    register = 0
    for byte in data:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1) ^ (0x04C11DB7 if register & 0x80000000 else 0)
            register &= 0xFFFFFFFF
    return register


def read_pages(data: bytes, *, checksums: bool = True) -> Iterator[ReadPage]:
    """Yield the complete pages of `data` in order."""
    at = 0
    while len(data) - at >= 27:
        magic, version, flags, granule, serial, sequence, checksum, segments = struct.unpack_from(
            "<4sBBqIIIB", data, at
        )
        assert magic == b"OggS", f"no page at byte {at}"
        assert version == 0
        table = data[at + 27 : at + 27 + segments]
        end = at + 27 + segments + sum(table)
        if len(table) < segments or len(data) < end:
            return
        raw = data[at:end]
        if checksums:
            assert slow_crc(raw[:22] + bytes(4) + raw[26:]) == checksum
        packets, packet = [], b""
        body = at + 27 + segments
        for value in table:
            packet += data[body : body + value]
            body += value
            if value < 255:
                packets.append(packet)
                packet = b""
        assert not packet, "a packet continues on the next page"
        yield ReadPage(flags, granule, serial, sequence, packets, raw)
        at = end


def last_granule(data: bytes | bytearray) -> int:
    """Return the granule of the last page, which may be incomplete, or -1 if there is none."""
    at = data.rfind(b"OggS", 0, len(data) - 13) + 6
    return int.from_bytes(data[at : at + 8], "little") if at > 5 else -1


def check_one_stream(data: bytes, *, checksums: bool = True) -> list[ReadPage]:
    """Check that `data` is one logical Opus stream without gaps in sequence and granules; return its audio pages."""
    pages = list(read_pages(data, checksums=checksums))
    head, tags, audio = pages[0], pages[1], pages[2:]
    assert head.flags == 2
    assert head.packets[0].startswith(b"OpusHead")
    assert tags.packets[0].startswith(b"OpusTags")
    assert head.granule == tags.granule == 0
    assert len(head.packets) == len(tags.packets) == 1
    assert all(page.flags == 0 for page in pages[1:])
    assert {page.serial for page in pages} == {head.serial}
    # libogg loses headers if their numbers do not start at 0.
    assert (head.sequence, tags.sequence) == (0, 1)
    assert not audio or [page.sequence for page in audio] == [audio[0].sequence + n for n in range(len(audio))]
    for previous, page in itertools.pairwise(audio):
        assert page.granule - previous.granule == 960 * len(page.packets)
    assert not audio or audio[0].granule >= 960 * len(audio[0].packets)
    return audio
