"""`prepare folder`: parts, meters and beats of real-world files, and the choice of validation pieces."""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
import zipfile
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import mido
import numpy as np
import pytest

from radio.errors import MidiError, SettingsError
from radio.music.chord_naming import estimate_chords, pitch_class_times
from radio.music.events import Note
from radio.music.midi_parts import PartChoice
from radio.music.midi_score import Score
from radio.music.parts import DRUMS, PIANO
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT
from tests.train.corpora import groove_file
from train.cli.main import main
from train.data import binidx
from train.data.corpus.folder import held_out, pieces_of, read
from train.data.corpus.piece import Piece
from train.prepare.corpus import prepare

PPQ = 480
Onset = tuple[float, int]
"""The beat and the pitch of a sixteenth note."""


def midi_track(
    onsets: Iterable[Onset],
    *,
    name: str = "",
    program: int = 0,
    channel: int = 0,
    meters: Sequence[tuple[float, int, int]] = (),
) -> mido.MidiTrack:
    """Return a track of sixteenths. `meters` are (beat, numerator, denominator)."""
    events: list[tuple[int, mido.Message]] = [
        (round(beat * PPQ), mido.MetaMessage("time_signature", numerator=above, denominator=below))
        for beat, above, below in meters
    ]
    events.append((0, mido.Message("program_change", program=program, channel=channel)))
    for beat, pitch in onsets:
        events.append((round(beat * PPQ), mido.Message("note_on", note=pitch, velocity=80, channel=channel)))
        events.append((round((beat + 0.25) * PPQ), mido.Message("note_off", note=pitch, channel=channel)))
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)] if name else [])
    now = 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        track.append(message.copy(time=tick - now))
        now = tick
    return track


def write(path: Path, *tracks: mido.MidiTrack) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = mido.MidiFile(ticks_per_beat=PPQ)
    file.tracks += tracks
    file.save(path)
    return path


def beats(count: int, pitch: int = 60) -> list[Onset]:
    return [(beat, pitch + beat % 3) for beat in range(count)]


def pieces(path: Path, choice: PartChoice | None = None) -> list[Piece]:
    from radio.music import midi

    return pieces_of(midi.read(path), path.name, PIANO, choice or PartChoice())


def test_a_folder_of_midi_files_is_prepared(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    write(folder / "song.mid", midi_track(beats(16)))
    groove_file(folder / "drums only.mid", [(0, 36, 80)])
    (folder / "notes.txt").write_text("no music")
    report = prepare("folder", folder, tmp_path / "out", "piano")
    assert sum(report.pieces.values()) == 1
    assert len(report.skipped) == 1
    assert "drums only.mid: it has no notes for piano" in report.skipped[0]
    drums = prepare("folder", folder, tmp_path / "drums", "drums")
    assert sum(drums.pieces.values()) == 1


def test_a_small_folder_has_a_validation_piece() -> None:
    few, many = ([f"{number}.mid" for number in range(count)] for count in (4, 400))
    assert len(held_out(few)) == 1
    assert 10 <= len(held_out(many)) <= 30
    assert held_out(many[:200]) <= held_out(many), "a growing folder keeps its validation pieces"


def test_validation_pieces_are_chosen_among_readable_files(tmp_path: Path) -> None:
    def number(name: str) -> int:
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")

    names = sorted((f"{place}.mid" for place in range(60)), key=number)
    unlucky = [name for name in names if number(name) < 0.05 * 2**32]
    assert unlucky, "some names would be chosen; their files are made unreadable"
    for name in unlucky:
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"noise")
    for name in names[len(unlucky) :][:12]:
        write(tmp_path / "in" / name, midi_track(beats(32)))
    report = prepare("folder", tmp_path / "in", tmp_path / "out", "piano")
    assert report.pieces == {"train": 11, "validation": 1}
    assert len(report.skipped) == len(unlucky)
    assert len(binidx.read(tmp_path / "out" / "validation")) == 1


def test_the_piano_of_a_song_excludes_its_bass_and_strings(tmp_path: Path) -> None:
    song = write(
        tmp_path / "song.mid",
        midi_track(beats(16, 40), program=33, channel=1),
        midi_track(beats(16, 60), program=4, channel=2),
        midi_track(beats(16, 80), program=48, channel=3),
        midi_track(beats(16, 90), name="Melody", channel=4),
    )
    assert {note.note for piece in pieces(song) for note in piece.notes} == {60, 61, 62}


@pytest.mark.parametrize(
    ("choice", "lowest"),
    [
        (PartChoice(track="strings"), 80),
        (PartChoice(track="2"), 80),
        (PartChoice(channel=2), 40),
        (PartChoice(program=33), 40),
    ],
)
def test_the_part_can_be_chosen(tmp_path: Path, choice: PartChoice, lowest: int) -> None:
    song = write(
        tmp_path / "song.mid",
        midi_track(beats(16, 40), program=33, channel=1),
        midi_track(beats(16, 80), name="Strings", program=48, channel=3),
    )
    assert min(note.note for piece in pieces(song, choice) for note in piece.notes) == lowest


def test_a_song_without_a_keyboard_is_refused_and_its_parts_are_listed(tmp_path: Path) -> None:
    song = write(tmp_path / "song.mid", midi_track(beats(16, 40), name="Low", program=33, channel=1))
    with pytest.raises(MidiError, match=r"no keyboard part; choose a track.*track 1 'Low', channel 2 \(program 33"):
        pieces(song)
    with pytest.raises(MidiError, match="it has no such part"):
        pieces(song, PartChoice(program=5))


def test_a_file_without_programs_or_names_counts_as_keyboard_music(tmp_path: Path) -> None:
    song = write(tmp_path / "song.mid", midi_track(beats(16)), midi_track(beats(16, 40), channel=1))
    assert min(note.note for note in pieces(song)[0].notes) == 40


def test_a_free_performance_is_refused_and_one_played_to_a_click_is_read(tmp_path: Path) -> None:
    generator = random.Random(1)
    free = [(0.25 * place * 0.943 + generator.gauss(0, 0.05), 60 + place % 5) for place in range(1, 400)]
    clicked = [(0.25 * place + abs(generator.gauss(0, 0.03)), 60 + place % 5) for place in range(400)]
    with pytest.raises(MidiError, match="its notes do not follow its beats"):
        pieces(write(tmp_path / "free.mid", midi_track(free)))
    assert pieces(write(tmp_path / "clicked.mid", midi_track(clicked)))


@pytest.mark.parametrize(
    ("meters", "bars"),
    [
        pytest.param([(0, 4, 4)], 8, id="4/4"),
        pytest.param([(0, 2, 2)], 8, id="cut time"),
        pytest.param([(0, 2, 4)], 8, id="2/4"),
        pytest.param([(0, 4, 2)], 8, id="4/2"),
        pytest.param([(0, 1, 4), (1, 4, 4)], 8, id="a pickup"),
        pytest.param([(0, 4, 4), (8, 3, 4), (11, 4, 4)], 8, id="an odd bar"),
    ],
)
def test_bars_of_four_beats_are_read_and_others_left_out(
    tmp_path: Path, meters: list[tuple[float, int, int]], bars: int
) -> None:
    odd = sum(bar[0] for bar in meters[1:2] if bar[0] == 1) or (3 if len(meters) == 3 else 0)
    (piece,) = pieces(write(tmp_path / "song.mid", midi_track(beats(32 + int(odd)), meters=meters)))
    assert piece.bars == bars
    assert len(piece.notes) == 32, "the notes of the odd bar are left out"
    assert {note.start % TICKS_PER_BEAT for note in piece.notes} == {0}
    assert piece.notes[0].start == 0


def test_a_beat_in_12_8_is_three_eighths(tmp_path: Path) -> None:
    shuffled = [(1.5 * beat + place, 60) for beat in range(32) for place in (0, 1.0)]
    (piece,) = pieces(write(tmp_path / "song.mid", midi_track(shuffled, meters=[(0, 12, 8)])))
    assert piece.bars == 8
    assert {note.start % TICKS_PER_BEAT for note in piece.notes} == {0, 80}


def test_a_note_that_extends_into_an_odd_bar_ends_before_it(tmp_path: Path) -> None:
    track = midi_track(beats(19), meters=[(0, 4, 4), (8, 3, 4), (11, 4, 4)])
    held = mido.MidiTrack(
        [mido.Message("note_on", note=90, velocity=80, time=7 * PPQ), mido.Message("note_off", note=90, time=8 * PPQ)]
    )
    (piece,) = pieces(write(tmp_path / "song.mid", track, held))
    assert [note.end for note in piece.notes if note.note == 90] == [2 * TICKS_PER_BAR]


def test_another_meter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MidiError, match=r"it is in 3/4; bars of four beats are needed"):
        pieces(write(tmp_path / "waltz.mid", midi_track(beats(30), meters=[(0, 3, 4)])))


def test_archives_and_unusual_file_names_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    song = write(folder / "songs" / "one.KAR", midi_track(beats(16)))
    with zipfile.ZipFile(folder / "songs.zip", "w") as archive:
        archive.write(song, "two.mid")
        archive.writestr("bad\x1b[2J.mid", b"noise")
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.mid"))
    odd.write_bytes(song.read_bytes()[:-40])
    arguments = ["prepare", "folder", str(folder), str(tmp_path / "out"), "--part", "piano", "--channel", "1"]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    rows = [path.read_text().splitlines() for path in (tmp_path / "out").glob("*.jsonl")]
    names = {json.loads(line)["name"] for lines in rows for line in lines}
    assert names == {"songs/one.KAR#0", "songs.zip/two.mid#0", "caf\\xe9.mid#0"}
    assert "songs.zip/bad.mid: not a standard MIDI file" in shown
    assert "caf\\xe9.mid: track 1 is cut short" in shown
    assert "\x1b" not in shown
    assert sum(prepare("folder", folder / "songs.zip", tmp_path / "zip", "piano").pieces.values()) == 1


def test_the_error_for_a_folder_without_readable_files_lists_the_reasons(tmp_path: Path) -> None:
    for name in ("a.mid", "b.zip"):
        (tmp_path / name).write_bytes(b"noise")
    with pytest.raises(SettingsError, match=r"no piece to train on in 2 files[\s\S]*a\.mid[\s\S]*b\.zip"):
        prepare("folder", tmp_path, tmp_path / "out", "piano")
    assert len(read(tmp_path, partial(pieces_of, part=DRUMS, choice=PartChoice())).skipped) == 2


def test_time_per_note_does_not_grow_with_the_length_of_a_piece(tmp_path: Path) -> None:
    from radio.music import midi

    def scored(count: int) -> Score:
        onsets = [(place / 2, 40 + place * 7 % 40) for place in range(count)]
        return midi.read(write(tmp_path / f"{count}.mid", midi_track(onsets)))

    def seconds(score: Score) -> float:
        def once() -> float:
            begun = time.process_time()
            pieces_of(score, "song", PIANO, PartChoice())
            return time.process_time() - begun

        return min(once() for _ in range(3)) / len(score.notes)

    assert seconds(scored(8_000)) < 3 * seconds(scored(1_000))


def test_sounding_times_of_pitch_classes_equal_a_plain_sum() -> None:
    generator = random.Random(0)
    notes = [
        Note(start, start + generator.randint(1, 1_500), generator.randint(36, 96), 64)
        for start in sorted(generator.randrange(4_000) for _ in range(200))
    ]
    edges = [0, 100, 480, 960, 2_000, 6_000]
    expected = np.zeros((len(edges) - 1, 12))
    for span, (start, end) in enumerate(pairwise(edges)):
        for note in notes:
            expected[span, note.note % 12] += max(0, min(note.end, end) - max(note.start, start))
    np.testing.assert_allclose(pitch_class_times(notes, edges), expected)


def test_chords_are_estimated_from_the_sounding_notes() -> None:
    chords = {"Cmaj7": (60, 64, 67, 71), "Am7": (57, 60, 64, 67), "G7": (55, 59, 62, 65), "N": ()}
    notes = [
        Note(bar * TICKS_PER_BAR, (bar + 1) * TICKS_PER_BAR, pitch, 64)
        for bar, pitches in enumerate(chords.values())
        for pitch in (*pitches, *pitches[:1])
    ]
    times = pitch_class_times(notes, range(0, 5 * TICKS_PER_BAR, TICKS_PER_BAR))
    assert [str(chord) for chord in estimate_chords(times)] == [*chords]
