"""The readers of files and messages: functions of bytes that may refuse their input but must not break."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radio.errors import ControlError, MidiError, RadioError, SettingsError, SnapshotError, StreamError
from radio.music import band_events, midi_score, tokenizer
from radio.music.events import Note
from radio.music.vocab import TABLE_SIZE
from radio.paths import STATIONS
from radio.server.broadcast import saved_station
from radio.server.broadcast.piece import Piece
from radio.settings.config import load
from radio.station.factory import open_station
from radio.station.station import Station
from radio.stream.formats.ogg import Pager
from radio.types import SAMPLE_RATE, Packet
from radio.worker import wire
from tests.cli.test_state import SAVED
from tests.stream.ogg_reader import read_pages
from tests.worker.test_wire import BYTES

_PPQ: Final = bytes([0, 96])


@dataclass(frozen=True, slots=True)
class Target:
    """A reader.

    run: must not raise for any bytes.
    seeds: returns valid inputs to start from.
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


def read_midi(data: bytes) -> None:
    """Read a MIDI file."""
    with contextlib.suppress(MidiError):
        midi_score.score_of(data)


def midi_files() -> list[bytes]:
    """Return small MIDI files: notes, a pedal, a tempo, running status, and two tracks."""
    notes = bytes([0, 0x90, 60, 100, 48, 64, 90, 48, 60, 0, 0, 64, 0])
    metas = bytes([0, 0xFF, 0x51, 3, 7, 0xA1, 0x20, 0, 0xFF, 0x58, 4, 3, 2, 24, 8, 0, 0xFF, 0x03, 2, 0x41, 0x42])
    pedal = bytes([0, 0xB0, 64, 127, 24, 0x90, 67, 80, 24, 0x80, 67, 0, 48, 0xB0, 64, 0])
    end = bytes([0, 0xFF, 0x2F, 0])

    def chunk(body: bytes) -> bytes:
        return b"MTrk" + len(body + end).to_bytes(4, "big") + body + end

    def header(kind: int, tracks: int) -> bytes:
        return b"MThd" + bytes([0, 0, 0, 6, 0, kind, 0, tracks]) + _PPQ

    return [
        header(0, 1) + chunk(metas + notes),
        header(1, 2) + chunk(metas) + chunk(notes + pedal),
        header(2, 2) + chunk(notes) + chunk(pedal),
    ]


@functools.cache
def _config_file() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="radio-fuzz-")
    _config_file.__dict__["folder"] = folder  # keeps the folder until the process ends
    return Path(folder.name) / "stations.yaml"


def read_config(data: bytes) -> None:
    """Read a config file."""
    path = _config_file()
    path.write_bytes(data)
    with contextlib.suppress(SettingsError):
        load(path, allow_missing=True)


def config_files() -> list[bytes]:
    """Return the shipped config and one with other kinds of values."""
    other = """
stations:
  one:
    title: "One \\uD83C\\uDF19"
    seed: 7
    progressions: [[Dm7, G7], [Cmaj7, "Am7 D7"]]
    controls: {tempo: 72.5, mood: dreamy, rain_mute: true}
    push: [{url: "icecast://source:word@localhost:8000/one"}]
server: {host: [127.0.0.1, "::1"], port: 8000, burst: {opus: 2}}
"""
    return [STATIONS.read_bytes(), other.encode()]


def read_messages(data: bytes) -> None:
    """Decode messages between a worker and the server, in two parts."""
    decoder = wire.MessageDecoder()
    middle = len(data) // 2
    with contextlib.suppress(StreamError):
        for part in (data[:middle], data[middle:]):
            for message in decoder.feed(part):
                wire.encode(message)


def read_tokens(data: bytes) -> None:
    """Decode tokens of both vocabularies and encode the notes again. Nothing may be lost."""
    tokens = [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data) - 1, 2)]
    events = tokenizer.decode([token % TABLE_SIZE for token in tokens])
    notes = tokenizer.remove_overlaps(tokenizer.events_to_notes(events))
    again = tokenizer.events_to_notes(tokenizer.decode(tokenizer.encode(notes)))
    assert _places(again) == _places(notes)
    band = band_events.decode([token % TABLE_SIZE for token in tokens])
    whole = band_events.decode(band_events.encode(band))
    assert len(whole) == len(band)


def _places(notes: list[Note]) -> list[tuple[int, int, int]]:
    return sorted((note.start, note.end, note.note) for note in notes)


def token_streams() -> list[bytes]:
    """Return a few notes as tokens of both vocabularies."""
    notes = [Note(0, 120, 60, 113), Note(0, 60, 64, 59), Note(150, 210, 60, 59)]
    band = [band_events.BandNote(0, 4, 0, 60, 80), band_events.BandNote(4, 2, band_events.DRUMS, 36, 100)]
    streams = (tokenizer.encode(notes), band_events.encode(band))
    return [b"".join(token.to_bytes(2, "little") for token in tokens) for tokens in streams]


def write_pages(data: bytes) -> None:
    """Write packets of any size into Ogg pages with any number of packets, and read them back with a strict reader."""
    pager = Pager(serial=1)
    sizes = [1 + int.from_bytes(data[at : at + 2], "little") % 1_500 for at in range(0, min(len(data), 64) - 1, 2)]
    packets = [Packet(960 * number, 960, bytes([size % 256]) * size) for number, size in enumerate(sizes)]
    pages, written = [], 0
    while written < len(packets):
        count = 1 + packets[written].data[0] % 5
        pages.append(pager.next_page(packets[written : written + count]))
        written += count
    read = [packet for page in read_pages(b"".join(pages), checksums=False) for packet in page.packets]
    assert read == [packet.data for packet in packets]


@functools.cache
def _station() -> Station:
    return open_station(load(STATIONS).stations["chill"], seed=7)


@functools.cache
def _states() -> tuple[bytes, ...]:
    """Return two snapshots of the shipped station: one at its start and one some bars later."""
    station = open_station(load(STATIONS).stations["chill"], seed=7)
    saved: list[bytes] = []
    while len(saved) < 2:
        station.render(SAMPLE_RATE)
        if (taken := station.take_snapshot()) is not None:
            saved.append(taken.data)
    station.close()
    return tuple(saved)


def read_snapshot(data: bytes) -> None:
    """Resume a station from a snapshot. From some snapshots, also play a little, which is slow."""
    station = _station()
    try:
        station.resume(data, ())
    except SnapshotError:
        return
    if len(data) % 8 == 0:
        with contextlib.suppress(RadioError):
            station.render(2_048)


def read_saved_station(data: bytes) -> None:
    """Read the contents of a state file with a correct checksum."""
    with contextlib.suppress(SnapshotError, ControlError):
        saved = saved_station.decode(_MAGIC + hashlib.sha256(data).digest() + data)
        Piece(load(STATIONS).stations["chill"]).take_over(saved)


_STATE: Final = saved_station.encode(SAVED)
_MAGIC: Final = _STATE[: _STATE.index(b"\n") + 1]


TARGETS: Final[dict[str, Target]] = {
    "midi": Target(read_midi, midi_files),
    "config": Target(read_config, config_files),
    "messages": Target(read_messages, lambda: [BYTES]),
    "tokens": Target(read_tokens, token_streams),
    "ogg": Target(write_pages, lambda: [bytes(range(64)), bytes([255, 5] * 16)]),
    "snapshot": Target(read_snapshot, lambda: [*_states()]),
    "state": Target(read_saved_station, lambda: [_STATE[len(_MAGIC) + hashlib.sha256().digest_size :]]),
}
