"""MIDI files on disk: plain, in RIFF (.rmi), with lyrics (.kar), or many in a zip archive."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from radio.errors import MidiError
from radio.music.names import printable, shown

SUFFIXES: Final = (".mid", ".midi", ".kar", ".rmi", ".smf")
ARCHIVE: Final = ".zip"

MOST_BYTES: Final = 16 * 2**20
"""Size of the largest MIDI file that is read."""

_MOST_MEMBERS: Final = 50_000
"""Most files in an archive."""


@dataclass(frozen=True, slots=True)
class MidiFile:
    """A MIDI file on disk or in an archive: its name for messages, and a function that reads it."""

    name: str
    read: Callable[[], bytes]


def has_midi_name(path: PurePosixPath | Path) -> bool:
    """Return True if `path` has the suffix of a MIDI file or of an archive, which may contain some."""
    return path.suffix.lower() in (*SUFFIXES, ARCHIVE)


def files_of(path: Path) -> Iterator[MidiFile]:
    """Yield the MIDI file at `path`, or all MIDI files in the archive at `path`.

    Raises:
        MidiError: The file does not exist, cannot be read, or is a damaged archive or one with too many files.
    """
    try:
        with path.open("rb") as file:
            begins = file.read(4)
    except FileNotFoundError:
        raise MidiError(f"{shown(path)}: no such file") from None
    except OSError as error:
        raise MidiError(f"{shown(path)}: cannot be read ({error.strerror})") from error
    if begins == b"PK\x03\x04":
        yield from _members(path)
    else:
        yield MidiFile(shown(path), lambda: content(path))


def content(path: Path) -> bytes:
    """Return the bytes of a file. Raises MidiError if it cannot be read or is too large."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise MidiError(f"{shown(path)}: no such file") from None
    except OSError as error:
        raise MidiError(f"{shown(path)}: cannot be read ({error.strerror})") from error
    return _checked(data, shown(path))


def unwrapped(data: bytes) -> bytes:
    """Return the MIDI file in a RIFF file (.rmi); other bytes are returned unchanged."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return data
    place = 12
    while place + 8 <= len(data):
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        if data[place : place + 4] == b"data":
            return data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2
    return data


def _members(path: Path) -> Iterator[MidiFile]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise MidiError(f"{shown(path)}: not a readable zip archive ({error})") from error
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > _MOST_MEMBERS:
        archive.close()
        raise MidiError(f"{shown(path)}: it contains {len(members):,} files; the limit is {_MOST_MEMBERS:,}")
    for member in members:
        if PurePosixPath(member.filename).suffix.lower() in SUFFIXES:
            name = f"{shown(path)}/{printable(member.filename)}"
            yield MidiFile(name, _Member(archive, member, name).read)


@dataclass(frozen=True, slots=True)
class _Member:
    archive: zipfile.ZipFile
    info: zipfile.ZipInfo
    name: str

    def read(self) -> bytes:
        try:
            with self.archive.open(self.info) as file:
                data = file.read(MOST_BYTES + 1)
        except (
            zipfile.BadZipFile,
            OSError,
            RuntimeError,
            ValueError,
            NotImplementedError,
            EOFError,
            zlib.error,
        ) as error:
            raise MidiError(f"{self.name}: cannot be unpacked ({printable(str(error))})") from error
        return _checked(data, self.name)


def _checked(data: bytes, name: str) -> bytes:
    if len(data) > MOST_BYTES:
        raise MidiError(f"{name}: it is larger than {MOST_BYTES >> 20} MB, the limit")
    return data
