"""A small MP4 reader, independent of the muxer, that requires each box to fill its size exactly."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"mvex", b"moof", b"traf"}


@dataclass(frozen=True)
class Box:
    """A box and its children."""

    kind: str
    at: int
    """Offset of the box in the file."""
    content: bytes
    boxes: list[Box] = field(default_factory=list)

    def one(self, path: str) -> Box:
        box = self
        for kind in path.split("/"):
            (box,) = [child for child in box.boxes if child.kind == kind]
        return box

    def ints(self, form: str, at: int = 0) -> tuple[int, ...]:
        return struct.unpack_from(f">{form}", self.content, at)


def read(data: bytes) -> Box:
    return Box("file", 0, data, read_boxes(data, 0))


def read_boxes(data: bytes, offset: int) -> list[Box]:
    boxes, at = [], 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        assert size >= 8
        assert at + size <= len(data), f"{kind!r} is longer than its container"
        content = data[at + 8 : at + size]
        inner = read_boxes(content, offset + at + 8) if kind in CONTAINERS else []
        boxes.append(Box(kind.decode(), offset + at, content, inner))
        at += size
    return boxes


@dataclass(frozen=True)
class Fragment:
    """The contents of a media segment."""

    number: int
    time: int
    samples: list[tuple[int, bytes]]
    """Duration and data of each sample."""


def read_fragment(data: bytes, *, usual: int) -> Fragment:
    """Read a media segment of one fragment with one run; `usual` is the default duration in the init segment."""
    file = read(data)
    assert [box.kind for box in file.boxes] == ["moof", "mdat"]
    moof, mdat = file.boxes
    (number,) = moof.one("mfhd").ints("I", 4)
    traf = moof.one("traf")
    assert traf.one("tfhd").ints("II") == (0x020000, 1)
    version, time = traf.one("tfdt").ints("B3xQ")
    assert version == 1
    run = traf.one("trun")
    flags, count, offset = run.ints("IIi")
    assert flags in {0x201, 0x301}
    table = run.content[12:]
    row = 8 if flags & 0x100 else 4
    assert len(table) == count * row
    at = moof.at + offset
    assert at == mdat.at + 8
    samples = []
    for place in range(count):
        values = struct.unpack_from(">II" if row == 8 else ">I", table, place * row)
        duration, size = values if row == 8 else (usual, *values)
        samples.append((duration, data[at : at + size]))
        at += size
    assert at == len(data)
    return Fragment(number, time, samples)
