"""A writer of SoundFont 2 files: mono samples, instruments of zones, and presets.

Source: SoundFont Technical Specification 2.04, sections 5 to 8.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

_TAIL: Final = 46
"""Zeros after each sample, as the specification requires."""
_LOOPED: Final = 1
_MONO: Final = 1

GENERATORS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "filter_cutoff": 8,
        "filter_resonance": 9,
        "vibrato_to_pitch": 6,
        "tremolo_to_volume": 13,
        "pan": 17,
        "tremolo_delay": 21,
        "tremolo_frequency": 22,
        "vibrato_delay": 23,
        "vibrato_frequency": 24,
        "volume_attack": 34,
        "volume_hold": 35,
        "volume_decay": 36,
        "volume_sustain": 37,
        "volume_release": 38,
        "volume_decay_by_key": 40,
        "attenuation": 48,
        "coarse_tune": 51,
        "fine_tune": 52,
        "loop_mode": 54,
        "scale_tuning": 56,
        "exclusive_class": 57,
    }
)
"""The generators that zones may set, by number (section 8.1.2)."""
_INSTRUMENT, _KEYS, _VELOCITIES, _SAMPLE = 41, 43, 44, 53


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Mono audio with a pitch; the same object may serve several zones."""

    name: str
    audio: npt.NDArray[np.float64]
    """(frames,), from -1 to 1."""
    rate: int
    root: int = 60
    """The MIDI note at which it plays at its own pitch."""
    loop: tuple[int, int] | None = None
    """The first frame of the loop and the one after its last."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A sample, the keys and velocities that play it, and settings in the units of the specification."""

    sample: Sample
    keys: tuple[int, int] = (0, 127)
    velocities: tuple[int, int] = (0, 127)
    generators: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preset:
    """A program of a bank and the zones that it plays; bank 128 is for drum kits."""

    name: str
    bank: int
    program: int
    zones: Sequence[Zone]


def timecents(seconds: float) -> int:
    """Return a duration in the unit of envelopes."""
    return round(float(1200 * np.log2(max(seconds, 0.001))))


def write(path: Path, presets: Iterable[Preset], *, name: str, comment: str) -> None:
    """Write a soundfont. Each preset has one instrument; a sample that zones share is stored once."""
    ordered = sorted(presets, key=lambda preset: (preset.bank, preset.program))
    samples = list({id(zone.sample): zone.sample for preset in ordered for zone in preset.zones}.values())
    data = _list(b"sfbk", [_information(name, comment), _sample_data(samples), _presets(ordered, samples)], b"RIFF")
    path.write_bytes(data)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _list(kind: bytes, chunks: Iterable[bytes], head: bytes = b"LIST") -> bytes:
    return _chunk(head, kind + b"".join(chunks))


def _text(text: str) -> bytes:
    data = text.encode("ascii", "replace") + b"\0"
    return data + b"\0" * (len(data) % 2)


def _label(name: str) -> bytes:
    return name.encode("ascii", "replace")[:19]


def _information(name: str, comment: str) -> bytes:
    return _list(
        b"INFO",
        [
            _chunk(b"ifil", struct.pack("<HH", 2, 4)),
            _chunk(b"isng", _text("EMU8000")),
            _chunk(b"INAM", _text(name)),
            _chunk(b"ICMT", _text(comment)),
        ],
    )


def _sample_data(samples: Sequence[Sample]) -> bytes:
    parts = []
    for sample in samples:
        audio = np.round(np.clip(sample.audio, -1, 1) * 32_767).astype("<i2")
        parts.append(audio.tobytes() + bytes(2 * _TAIL))
    return _list(b"sdta", [_chunk(b"smpl", b"".join(parts))])


def _presets(presets: Sequence[Preset], samples: Sequence[Sample]) -> bytes:
    numbers = {id(sample): number for number, sample in enumerate(samples)}
    preset_rows: list[bytes] = []
    preset_bags: list[bytes] = []
    preset_generators: list[bytes] = []
    instrument_rows: list[bytes] = []
    instrument_bags: list[bytes] = []
    instrument_generators: list[bytes] = []
    for number, preset in enumerate(presets):
        preset_rows.append(
            struct.pack("<20sHHHIII", _label(preset.name), preset.program, preset.bank, len(preset_bags), 0, 0, 0)
        )
        preset_bags.append(struct.pack("<HH", len(preset_generators), 0))
        preset_generators.append(struct.pack("<HH", _INSTRUMENT, number))
        instrument_rows.append(struct.pack("<20sH", _label(preset.name), len(instrument_bags)))
        for zone in preset.zones:
            instrument_bags.append(struct.pack("<HH", len(instrument_generators), 0))
            instrument_generators += _generators(zone, numbers[id(zone.sample)])
    preset_rows.append(struct.pack("<20sHHHIII", b"EOP", 0, 0, len(preset_bags), 0, 0, 0))
    preset_bags.append(struct.pack("<HH", len(preset_generators), 0))
    instrument_rows.append(struct.pack("<20sH", b"EOI", len(instrument_bags)))
    instrument_bags.append(struct.pack("<HH", len(instrument_generators), 0))
    end, modulator = bytes(4), bytes(10)
    return _list(
        b"pdta",
        [
            _chunk(b"phdr", b"".join(preset_rows)),
            _chunk(b"pbag", b"".join(preset_bags)),
            _chunk(b"pmod", modulator),
            _chunk(b"pgen", b"".join(preset_generators) + end),
            _chunk(b"inst", b"".join(instrument_rows)),
            _chunk(b"ibag", b"".join(instrument_bags)),
            _chunk(b"imod", modulator),
            _chunk(b"igen", b"".join(instrument_generators) + end),
            _chunk(b"shdr", b"".join(_headers(samples))),
        ],
    )


def _generators(zone: Zone, sample: int) -> list[bytes]:
    rows = [struct.pack("<HBB", _KEYS, *zone.keys), struct.pack("<HBB", _VELOCITIES, *zone.velocities)]
    rows += [struct.pack("<Hh", GENERATORS[name], value) for name, value in zone.generators.items()]
    if zone.sample.loop:
        rows.append(struct.pack("<HH", GENERATORS["loop_mode"], _LOOPED))
    return [*rows, struct.pack("<HH", _SAMPLE, sample)]


def _headers(samples: Sequence[Sample]) -> Iterable[bytes]:
    row = struct.Struct("<20sIIIIIBbHH")
    start = 0
    for sample in samples:
        end = start + len(sample.audio)
        loop = (start + sample.loop[0], start + sample.loop[1]) if sample.loop else (start, end)
        yield row.pack(_label(sample.name), start, end, *loop, sample.rate, sample.root, 0, 0, _MONO)
        start = end + _TAIL
    yield row.pack(b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
