"""MIDI files as found in the wild: damaged, unusual, wrapped, archived, and malicious."""

from __future__ import annotations

import os
import random
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from radio.errors import MidiError
from radio.music import midi
from radio.music.midi_files import files_of
from radio.music.midi_score import LONGEST_NOTE, Score, score_of
from radio.music.names import decode, printable, shown

PPQ = 480
SCALE = bytes((60, 64, 67, 71, 72, 67, 64, 62))
NOTES = 16


def header(*, format_: int = 1, tracks: int = 1, division: int = PPQ) -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6, format_, tracks, division)


def track(*parts: bytes, end: bool = True) -> bytes:
    body = b"".join(parts) + (b"\x00\xff\x2f\x00" if end else b"")
    return b"MTrk" + struct.pack(">I", len(body)) + body


def meta(kind: int, data: bytes) -> bytes:
    return bytes((0, 0xFF, kind, len(data))) + data


def notes(count: int = NOTES, *, length: int = 110, rest: int = 10) -> bytes:
    """Return `count` notes, each of less than 128 ticks."""
    parts = []
    for number in range(count):
        pitch = SCALE[number % len(SCALE)]
        parts.append(bytes((rest if number else 0, 0x90, pitch, 80, length, 0x80, pitch, 0)))
    return b"".join(parts)


def lengths(score: Score) -> set[int]:
    return {note.end - note.start for note in score.notes}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            header() + b"XFIH\x00\x00\x00\x0812345678" + track(notes()), id="a foreign chunk before the track"
        ),
        pytest.param(header() + track(meta(0x59, b"\x12\x01"), notes()), id="a key of 18 sharps"),
        pytest.param(header() + track(meta(0x58, b"\x04"), notes()), id="a meter of one byte"),
        pytest.param(header() + track(meta(0x58, b"\x00\x02\x18\x08"), notes()), id="a meter of no beats"),
        pytest.param(header() + track(meta(0x51, b"\x07"), notes()), id="a tempo of one byte"),
        pytest.param(header() + track(meta(0x51, b"\x00\x00\x00"), notes()), id="an infinite tempo"),
        pytest.param(header(tracks=3) + track(notes()), id="fewer tracks than announced"),
        pytest.param(header(tracks=0) + track(notes()), id="more tracks than announced"),
        pytest.param(header() + track(notes()) + b"trailing bytes", id="bytes after the last track"),
        pytest.param(header() + track(notes(), end=False), id="no end of track"),
        pytest.param(header() + track(b"\x00\xf8\x00\xf1\x05\x00\xf0\x02\x01\xf7", notes()), id="system messages"),
        pytest.param(b"MThd" + struct.pack(">IHHH", 8, 0, 1, PPQ) + b"xx" + track(notes()), id="a longer header"),
    ],
)
def test_files_that_other_programs_read_are_read(data: bytes) -> None:
    score = score_of(data)
    assert len(score.notes) == NOTES
    assert lengths(score) == {110}
    assert (score.keys, score.time_signatures, score.tempos) == ([], [], [])
    assert score.seconds(2 * PPQ) == 1.0, "120 BPM if the file does not say"


def test_a_key_signature_is_read() -> None:
    assert score_of(header() + track(meta(0x59, b"\xfd\x01"), notes())).keys == [(0, -3, True)]


def test_running_status_continues_after_a_meta_event() -> None:
    score = score_of(
        header() + track(b"\x00\x90\x3c\x50", meta(0x01, b"text"), b"\x0a\x3c\x00\x00\x40\x50\x14\x40\x00")
    )
    assert [(note.note, note.start, note.end) for note in score.notes] == [(60, 0, 10), (64, 10, 30)]


def test_a_truncated_track_is_read_up_to_its_end_with_a_warning() -> None:
    data = header() + track(notes())
    assert score_of(data).warnings == ()
    short = score_of(data[: len(data) // 2])
    assert 1 < len(short.notes) < NOTES
    assert short.warnings == (f"track 1 is cut short at byte {len(data) // 2}",)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (header() + track(b"\x00\x3c\x40", notes()), "byte 23 is a data byte without a status byte before it"),
        (header() + track(b"\xff\xff\xff\xff\x7f\x90\x3c\x50"), "the number at byte 22 has more than four bytes"),
        (header(division=0) + track(notes()), "its division is 0"),
        (header(division=0xE728) + track(notes()), "SMPTE"),
        (header(), "it has no track"),
        (b"RIFF\x00\x00\x00\x00RMIDdata\x00\x00\x00\x00", "does not begin with MThd"),
    ],
)
def test_an_unreadable_file_is_refused_with_the_reason(data: bytes, message: str) -> None:
    with pytest.raises(MidiError, match=message):
        score_of(data)


def test_a_riff_file_is_unwrapped(tmp_path: Path) -> None:
    inner = header() + track(notes())
    info = b"INFO\x03\x00\x00\x00abc\x00"
    body = b"RMID" + info + b"data" + struct.pack("<I", len(inner)) + inner
    path = tmp_path / "song.rmi"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    assert len(midi.read(path).notes) == NOTES


def test_an_archive_may_contain_all_kinds_of_files_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "songs.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/one.mid", header() + track(notes()))
        archive.writestr("a/two.KAR", header() + track(meta(0x03, b"Words"), notes()))
        archive.writestr("readme.txt", "no music")
        archive.writestr("bad.mid", b"noise")
    files = list(files_of(path))
    assert [file.name.removeprefix(f"{path}/") for file in files] == ["a/one.mid", "a/two.KAR", "bad.mid"]
    assert [len(midi.read_file(file).notes) for file in files[:2]] == [NOTES, NOTES]
    with pytest.raises(MidiError, match=r"songs\.zip/bad\.mid: not a standard MIDI file"):
        midi.read_file(files[2])
    with pytest.raises(MidiError, match=r"songs\.zip: it contains 3 MIDI files \(one\.mid, two\.KAR, bad\.mid\)"):
        midi.read(path)


def test_a_damaged_archive_and_a_member_that_would_exhaust_the_memory_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.mid", bytes(20 * 2**20))
    with pytest.raises(MidiError, match=r"bomb\.zip/big\.mid: it is larger than 16 MB"):
        midi.read(path)
    path.write_bytes(path.read_bytes()[:2_000])
    with pytest.raises(MidiError, match="not a readable zip archive"):
        midi.read(path)


def test_patterns_of_a_type_2_file_follow_one_another() -> None:
    slow = meta(0x51, (1_000_000).to_bytes(3, "big"))
    score = score_of(header(format_=2, tracks=2) + track(slow, notes()) + track(notes()))
    first, second = score.pieces()
    assert len(first) == len(second) == NOTES
    assert second[0].start >= first[-1].end
    assert second[0].start % (4 * PPQ) == 0
    bar = score.seconds(second[0].start + 4 * PPQ) - score.seconds(second[0].start)
    assert bar == pytest.approx(2), "the second pattern has its own tempo"


def test_the_pedal_and_the_volume_of_a_channel_apply_to_all_its_tracks() -> None:
    pedal = b"\x00\xb0\x40\x7f\x00\xb0\x07\x40" + b"\x83\x60\xb0\x40\x00"  # down immediately, up after a quarter note
    score = score_of(header(tracks=2) + track(pedal) + track(notes(2)))
    assert [(note.start, note.end, note.velocity) for note in score.notes] == [(0, 480, 40), (120, 480, 40)]
    other_channel = pedal.replace(b"\xb0", b"\xb1")
    assert lengths(score_of(header(tracks=2) + track(other_channel) + track(notes(2)))) == {110}


def test_channels_of_different_ports_are_separate() -> None:
    pedal = meta(0x21, b"\x01") + b"\x00\xb0\x40\x7f"
    assert lengths(score_of(header(tracks=2) + track(pedal) + track(notes(2)))) == {110}


@pytest.mark.parametrize(("control", "end"), [(123, 100), (120, 100), (127, 100), (64, 150)])
def test_all_notes_off_ends_the_notes_of_the_channel(control: int, end: int) -> None:
    data = bytes((0, 0x90, 60, 80, 100, 0xB0, control, 0, 50, 0xFF, 0x2F, 0))
    assert [(note.start, note.end) for note in score_of(header() + track(data, end=False)).notes] == [(0, end)]


def test_the_pedal_holds_notes_beyond_all_notes_off_but_not_beyond_all_sound_off() -> None:
    held = bytes((0, 0xB0, 64, 127, 0, 0x90, 60, 80, 100, 0xB0, 123, 0, 60, 0xB0, 64, 0))
    assert lengths(score_of(header() + track(held))) == {160}
    assert lengths(score_of(header() + track(held.replace(b"\xb0\x7b", b"\xb0\x78")))) == {100}


def test_a_file_of_absurd_length_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "bomb.mid"
    path.write_bytes(header() + track(b"\x00\x90\x3c\x50\xff\xff\xff\x7f\xb0\x01\x01", notes()))
    with pytest.raises(MidiError, match=r"bomb\.mid: it lasts 559,240 quarter notes; the limit is 60,000"):
        midi.read(path)


def test_a_note_that_is_never_released_ends_after_32_bars() -> None:
    data = header() + track(notes(4), b"\x00\x90\x3c\x50\xff\xff\xff\x7f\xff\x2f\x00", end=False)
    assert max(lengths(score_of(data))) == LONGEST_NOTE * PPQ


def test_memory_does_not_grow_quadratically_with_the_number_of_tracks() -> None:
    def peak(count: int) -> int:
        data = header(tracks=count) + track(notes(10)) * count
        tracemalloc.start()
        try:
            score_of(data)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(800) < 8 * peak(200)


def test_too_many_notes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radio.music.midi_score.MOST_NOTES", 10)
    with pytest.raises(MidiError, match="more than 10 notes"):
        score_of(header() + track(notes()))


def test_time_per_note_does_not_grow_with_the_number_of_notes() -> None:
    def seconds(count: int) -> float:
        pedaled = b"".join(
            bytes((0, 0x90, 48 + 7 * n % 36, 70, 60, 0xB0, 64, 13 * n % 128, 60, 0x80, 48 + 7 * n % 36, 0))
            for n in range(count)
        )
        tempos = meta(0x51, b"\x07\xa1\x20") * count
        data = header(tracks=2) + track(tempos) + track(pedaled)

        def once() -> float:
            begun = time.process_time()
            assert len(score_of(data).pieces()) == 1
            return time.process_time() - begun

        return min(once() for _ in range(3)) / count

    assert seconds(8_000) < 3 * seconds(1_000)


def test_names_are_decoded_as_utf_8_or_else_latin_1() -> None:
    for text, coding in (("Für Élise 夜", "utf-8"), ("Für Élise", "latin-1")):
        data = text.encode(coding)
        assert {note.track for note in score_of(header() + track(meta(0x03, data), notes())).notes} == {text}


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"\x1b[31;1mRED\x1b]0;owned\x07\r\nline2 | pipe |", "RED line2 | pipe |"),
        (b"bell\x07 back\x08 null\x00 c1\x9b31m", "bell back null c1"),
        ("left \u202ethgir\u202c line\u2028end".encode(), "left thgir line end"),
        (b"x" * 500, "x" * 119 + "…"),
    ],
)
def test_control_characters_are_removed_from_names(raw: bytes, name: str) -> None:
    assert decode(raw) == name
    assert printable(name) == name


def test_a_file_name_that_is_not_utf_8_can_be_shown(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\x1b[2J.mid"))
    try:
        path.write_bytes(b"noise")
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    with pytest.raises(MidiError) as caught:
        midi.read(path)
    assert str(caught.value).startswith(f"{tmp_path}/caf\\xe9�[2J.mid: not a standard MIDI file")
    assert shown(path).isprintable()


def mutants(seed: int, count: int) -> Iterable[bytes]:
    """Yield files with a few bytes changed, removed or repeated."""
    generator = random.Random(seed)
    whole = header(tracks=2) + track(meta(0x58, b"\x03\x02\x18\x08"), b"\x00\xb0\x40\x7f", notes()) + track(notes())
    for _ in range(count):
        data = bytearray(whole)
        for _ in range(generator.randint(1, 6)):
            place = generator.randrange(len(data))
            match generator.randrange(4):
                case 0:
                    data[place] = generator.randrange(256)
                case 1:
                    del data[place : place + generator.randint(1, 8)]
                case 2:
                    data[place:place] = data[place : place + generator.randint(1, 20)]
                case _:
                    data[place] = generator.choice((0, 0x7F, 0x80, 0xFF, 0xF0, 0xF7))
        yield bytes(data)


def test_damaged_files_are_read_or_refused() -> None:
    outcomes = set()
    for data in mutants(seed=1, count=600):
        try:
            score = score_of(data)
        except MidiError:
            outcomes.add("refused")
            continue
        outcomes.add("read")
        assert all(0 <= note.start < note.end and 0 < note.velocity < 128 for note in score.notes)
        assert sum(map(len, score.pieces())) == len(score.notes)
    assert outcomes == {"read", "refused"}
