"""A reader of SoundFont 2 files, independent of the writer that it checks."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class ReadSample:
    name: str
    audio: np.ndarray
    loop: tuple[int, int]
    rate: int
    root: int


@dataclass(frozen=True)
class ReadZone:
    keys: tuple[int, int]
    velocities: tuple[int, int]
    sample: ReadSample
    generators: dict[int, int]

    @property
    def looped(self) -> bool:
        return self.generators.get(54) == 1


class SoundfontFile:
    def __init__(self, path: Path) -> None:
        self.chunks: dict[bytes, bytes] = {}
        data = path.read_bytes()
        assert data[:4] == b"RIFF"
        assert data[8:12] == b"sfbk"
        assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
        self._read(data[12:])
        self.samples = self._samples()

    def _read(self, data: bytes) -> None:
        place = 0
        while place < len(data):
            kind, size = struct.unpack("<4sI", data[place : place + 8])
            body = data[place + 8 : place + 8 + size]
            if kind == b"LIST":
                self._read(body[4:])
            else:
                self.chunks[kind] = body
            place += 8 + size + size % 2

    def _samples(self) -> list[ReadSample]:
        audio = np.frombuffer(self.chunks[b"smpl"], "<i2") / 32_767
        rows = list(struct.iter_unpack("<20sIIIIIBbHH", self.chunks[b"shdr"]))
        return [
            ReadSample(name.rstrip(b"\0").decode(), audio[start:end], (first - start, last - start), rate, root)
            for name, start, end, first, last, rate, root, *_ in rows[:-1]
        ]

    def zones(self, bank: int, program: int) -> list[ReadZone]:
        presets = list(struct.iter_unpack("<20sHHHIII", self.chunks[b"phdr"]))
        bags = list(struct.iter_unpack("<HH", self.chunks[b"pbag"]))
        generators = list(struct.iter_unpack("<HH", self.chunks[b"pgen"]))
        (bag,) = (row[3] for row in presets[:-1] if (row[2], row[1]) == (bank, program))
        (instrument,) = (value for kind, value in generators[bags[bag][0] : bags[bag + 1][0]] if kind == 41)
        instruments = list(struct.iter_unpack("<20sH", self.chunks[b"inst"]))
        bags = list(struct.iter_unpack("<HH", self.chunks[b"ibag"]))
        rows = list(struct.iter_unpack("<Hh", self.chunks[b"igen"]))
        return [
            self._zone(dict(rows[bags[place][0] : bags[place + 1][0]]))
            for place in range(instruments[instrument][1], instruments[instrument + 1][1])
        ]

    def _zone(self, generators: dict[int, int]) -> ReadZone:
        (keys, velocities) = ((generators[kind] & 255, generators[kind] >> 8 & 255) for kind in (43, 44))
        return ReadZone(keys, velocities, self.samples[generators[53]], generators)
