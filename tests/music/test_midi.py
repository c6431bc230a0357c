from __future__ import annotations

import contextlib
from pathlib import Path

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.errors import MidiError
from radio.music import midi
from radio.music.events import NoteEvent
from radio.music.midi_score import Score

PPQ = 480


def read_score(tmp_path: Path, messages: list[mido.Message | mido.MetaMessage], *, ppq: int = PPQ) -> Score:
    file = mido.MidiFile(ticks_per_beat=ppq)
    file.tracks.append(mido.MidiTrack(messages))
    path = tmp_path / "piece.mid"
    file.save(path)
    return midi.read(path)


def note_on(note: int, velocity: int = 64, time: int = 0) -> mido.Message:
    return mido.Message("note_on", note=note, velocity=velocity, time=time)


def note_off(note: int, time: int = 0) -> mido.Message:
    return mido.Message("note_off", note=note, time=time)


def control(number: int, value: int, time: int = 0) -> mido.Message:
    return mido.Message("control_change", control=number, value=value, time=time)


def spans(score: Score) -> list[tuple[int, int, int]]:
    """Return (note, start, end) of each note."""
    return [(note.note, note.start, note.end) for note in score.notes]


def test_the_pedal_sustains_notes_until_it_is_released(tmp_path: Path) -> None:
    score = read_score(
        tmp_path,
        [control(64, 127), note_on(60), note_off(60, 100), note_on(64, time=10), control(64, 0, 90), note_off(64, 50)],
    )
    assert spans(score) == [(60, 0, 200), (64, 110, 250)]


def test_a_note_repeated_under_the_pedal_ends_the_first_one(tmp_path: Path) -> None:
    score = read_score(
        tmp_path,
        [control(64, 127), note_on(60), note_off(60, 50), note_on(60, time=50), note_off(60, 50), control(64, 0, 50)],
    )
    assert spans(score) == [(60, 0, 100), (60, 100, 200)]


def test_volume_and_expression_scale_velocity(tmp_path: Path) -> None:
    score = read_score(tmp_path, [control(7, 64), control(11, 64), note_on(60, 100), note_off(60, 10)])
    assert [note.velocity for note in score.notes] == [round(100 * 64 / 127 * 64 / 127)]


def test_the_scaled_velocity_is_at_least_1(tmp_path: Path) -> None:
    assert [n.velocity for n in read_score(tmp_path, [control(7, 0), note_on(60, 100), note_off(60, 10)]).notes] == [1]


def test_unreleased_notes_end_with_the_file(tmp_path: Path) -> None:
    score = read_score(tmp_path, [note_on(60), note_on(62, time=100), mido.MetaMessage("end_of_track", time=40)])
    assert spans(score) == [(60, 0, 140), (62, 100, 140)]


def test_seconds_follow_the_tempo_map(tmp_path: Path) -> None:
    score = read_score(
        tmp_path,
        [
            mido.MetaMessage("set_tempo", tempo=1_000_000),
            mido.MetaMessage("set_tempo", tempo=500_000, time=PPQ),
            note_on(60, time=PPQ),
            note_off(60, PPQ),
        ],
    )
    assert score.seconds(PPQ) == pytest.approx(1.0)
    assert score.seconds(score.notes[0].start) == pytest.approx(1.5)


def test_ten_seconds_of_silence_end_a_piece_but_a_long_note_does_not(tmp_path: Path) -> None:
    second = 2 * PPQ  # at the default tempo, 120 beats per minute
    held = [note_on(60), note_off(60, 12 * second), note_on(62, time=second), note_off(62, 10)]
    assert len(read_score(tmp_path, held).pieces()) == 1
    apart = [note_on(60), note_off(60, second), note_on(62, time=11 * second), note_off(62, 10)]
    assert [[note.note for note in piece] for piece in read_score(tmp_path, apart).pieces()] == [[60], [62]]


@pytest.mark.parametrize(
    "content", [b"", b"MThd", b"RIFF....", b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x01\xe0MTrk\x00\x00"]
)
def test_a_file_that_is_not_midi_is_rejected_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "noise.mid"
    path.write_bytes(content)
    with pytest.raises(MidiError, match=r"noise\.mid: not a standard MIDI file"):
        midi.read(path)


@given(st.binary(max_size=200))
def test_any_bytes_raise_only_midi_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "noise.mid"
    path.write_bytes(b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x01\xe0MTrk" + content)
    with contextlib.suppress(MidiError):
        midi.read(path)


def test_a_missing_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(MidiError, match="no such file"):
        midi.read(tmp_path / "none.mid")


def test_a_written_file_reads_back_with_tempos_time_signature_and_channels(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    keys = [NoteEvent(0, 60, 80), NoteEvent(120, 60, 0), NoteEvent(120, 60, 70), NoteEvent(480, 60, 0)]
    drums = [NoteEvent(0, 36, 100), NoteEvent(30, 36, 0)]
    midi.write(
        path,
        [midi.MidiTrack("keys", keys, program=4), midi.MidiTrack("drums", drums, drums=True)],
        {0: 80, 480: 90},
        end=960,
    )
    score = midi.read(path)
    assert score.ppq == 120
    assert score.time_signatures == [(0, 4, 4)]
    assert [(tick, mido.tempo2bpm(tempo)) for tick, tempo in score.tempos] == [
        (0, pytest.approx(80, rel=1e-5)),
        (480, pytest.approx(90, rel=1e-5)),
    ]
    assert [(n.start, n.end, n.note, n.velocity, n.channel, n.track) for n in score.notes] == [
        (0, 30, 36, 100, 9, "drums"),
        (0, 120, 60, 80, 0, "keys"),
        (120, 480, 60, 70, 0, "keys"),
    ]
    assert mido.MidiFile(path).length == pytest.approx(6 * 60 / 80 * 4 / 6 + 4 * 60 / 90, rel=1e-3)


def test_programs_change_at_their_ticks(tmp_path: Path) -> None:
    keys = [NoteEvent(0, 60, 80), NoteEvent(480, 60, 0), NoteEvent(480, 62, 70), NoteEvent(600, 62, 0)]
    midi.write(tmp_path / "song.mid", [midi.MidiTrack("keys", keys, 4, programs={480: 11})], {0: 80}, end=960)
    now, changes, strikes = 0, [], []
    for message in mido.MidiFile(tmp_path / "song.mid").tracks[1]:
        now += message.time
        if message.type == "program_change":
            changes.append((now, message.program))
        elif message.type == "note_on":
            strikes.append((now, changes[-1][1]))
    assert changes == [(0, 4), (480, 11)]
    assert strikes == [(0, 4), (480, 11)]
