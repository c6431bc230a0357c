"""The presets of a soundfont, read from its list of presets without loading any sample.

Source: SoundFont Technical Specification 2.04, sections 4 (RIFF) and 7.2 (the PHDR sub-chunk).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from radio.errors import AudioError
from radio.files import source

_CHUNK = struct.Struct("<4sI")
_PRESET = struct.Struct("<20sHHHIII")
_MAX_LIST_SIZE = 4 * 2**20
"""Largest list accepted, in bytes: enough for a hundred thousand presets."""


def presets(path: Path) -> dict[tuple[int, int], str]:
    """Return the name of each (bank, program) of an SF2 or SF3 file; bank 128 contains the drum kits.

    Raises:
        AudioError: the file cannot be read or is not a soundfont.
    """
    try:
        with source(path).open("rb") as file:
            return _read(file)
    except OSError as error:
        raise AudioError(f"the soundfont {path} cannot be read: {error.strerror or error}") from error
    except (struct.error, ValueError) as error:
        raise AudioError(f"{path} is not a soundfont: {error}") from error


def _read(file: BinaryIO) -> dict[tuple[int, int], str]:
    if file.read(4) != b"RIFF" or file.read(8)[4:] != b"sfbk":
        raise ValueError("it has no RIFF/sfbk header")
    while head := file.read(_CHUNK.size):
        kind, size = _CHUNK.unpack(head)
        if kind == b"LIST":
            if file.read(4) != b"pdta":  # the chunks of the list "pdta" follow
                file.seek(size - 4 + size % 2, 1)
        elif kind == b"phdr" and size <= _MAX_LIST_SIZE:
            rows = list(_PRESET.iter_unpack(file.read(size)))
            return {
                (bank, program): _text(name) for name, program, bank, *_ in rows[:-1]
            }  # the last row is a terminator
        else:
            file.seek(size + size % 2, 1)
    raise ValueError("it has no list of presets")


def _text(name: bytes) -> str:
    return name.partition(b"\0")[0].decode("latin-1").strip()
