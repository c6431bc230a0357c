"""Standard MIDI files: bytes to chunks, and chunks to events.

Source: "Standard MIDI Files 1.0" (MIDI Manufacturers Association, RP-001, 1996). Real files deviate from it, and other
programs still read them. This reader therefore skips chunks of other types, ignores the number of tracks in the header,
and reads a track that is cut short up to its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from radio.errors import MidiError

META: Final = 0xFF
"""Status of a meta event: its first data byte is the type."""

TRACK_NAME, PORT, END_OF_TRACK, TEMPO, TIME_SIGNATURE, KEY_SIGNATURE = 0x03, 0x21, 0x2F, 0x51, 0x58, 0x59

Event: TypeAlias = tuple[int, int, int, int, bytes]
"""Tick, status, two data bytes, and the text of a meta event."""

_MOST_TRACKS: Final = 0xFFFF
_SHORT: Final = {0xC0: 1, 0xD0: 1}
"""Number of data bytes of the channel messages that do not have two."""
_SYSTEM: Final = {0xF1: 1, 0xF2: 2, 0xF3: 1}
"""Number of data bytes of the system messages that have any. They do not belong in files and are skipped."""


@dataclass(frozen=True, slots=True)
class Smf:
    """The chunks of a file.

    format: 0, 1 or 2. ppq: ticks per quarter note. tracks: the first byte and the byte after the last of each track.
    """

    data: bytes
    format: int
    ppq: int
    tracks: tuple[tuple[int, int], ...]
    warnings: tuple[str, ...] = ()


def parse(data: bytes) -> Smf:
    """Return the chunks of a file.

    Raises:
        MidiError: The bytes are not a standard MIDI file, or its time is not in ticks per quarter note.
    """
    if data[:4] != b"MThd":
        raise MidiError("not a standard MIDI file (it does not begin with MThd)")
    length = int.from_bytes(data[4:8], "big")
    if length < 6 or len(data) < 8 + length:
        raise MidiError("not a standard MIDI file (its header is cut short)")
    format_, _, division = (int.from_bytes(data[place : place + 2], "big") for place in (8, 10, 12))
    if division >= 0x8000:
        raise MidiError("its time is in SMPTE frames; use a file with ticks per quarter note")
    if division == 0:
        raise MidiError("its division is 0; a file has 1 to 32,767 ticks per quarter note")
    tracks: list[tuple[int, int]] = []
    warnings: list[str] = []
    place = 8 + length
    while place + 8 <= len(data):
        kind, length = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "big")
        start, place = place + 8, place + 8 + length
        if kind == b"MTrk":
            if place > len(data):
                warnings.append(f"track {len(tracks) + 1} is cut short at byte {len(data)}")
            tracks.append((start, min(place, len(data))))
    if not tracks:
        raise MidiError("not a standard MIDI file (it has no track)")
    if len(tracks) > _MOST_TRACKS:
        raise MidiError(f"it has {len(tracks):,} tracks; a file has at most {_MOST_TRACKS:,}")
    return Smf(data, format_, division, tuple(tracks), tuple(warnings))


def events(data: bytes, start: int, end: int) -> Iterator[Event]:
    """Yield the events of a track from byte `start` to `end`, in order; a track without an end gets one.

    Raises:
        MidiError: A data byte has no status byte before it, or a number has more than four bytes.
    """
    place, tick, status = start, 0, 0
    chunk = memoryview(data)[:end]  # a copy for each track would take quadratic time
    try:
        while place < end:
            delta, place = _number(chunk, place)
            tick += delta
            byte = chunk[place]
            if byte >= 0x80:
                place += 1
            elif status:
                byte = status
            else:
                raise MidiError(f"byte {place} is a data byte without a status byte before it")
            if byte < 0xF0:
                status = byte
                if byte & 0xF0 in _SHORT:
                    yield tick, byte, min(chunk[place], 127), 0, b""
                    place += 1
                else:
                    yield tick, byte, min(chunk[place], 127), min(chunk[place + 1], 127), b""
                    place += 2
            elif byte == META:
                kind = chunk[place]
                length, place = _number(chunk, place + 1)
                if kind == END_OF_TRACK:
                    break
                yield tick, META, kind, 0, bytes(chunk[place : place + length])
                place += length
            elif byte in (0xF0, 0xF7):
                length, place = _number(chunk, place)
                place += length
            else:
                place += _SYSTEM.get(byte, 0)
    except IndexError:  # the last event is cut short
        pass
    yield tick, META, END_OF_TRACK, 0, b""


def _number(data: memoryview, place: int) -> tuple[int, int]:
    """Return the variable-length number at `place`, and the place after it."""
    byte = data[place]
    if byte < 0x80:
        return byte, place + 1
    value = 0
    for following in range(place, place + 4):
        byte = data[following]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, following + 1
    raise MidiError(f"the number at byte {place} has more than four bytes")
