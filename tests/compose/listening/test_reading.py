"""Listening to files: tempo, key, chords, passage, drums and melody of songs whose notes are known."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from radio.compose.listening.harmony import find_harmony
from radio.compose.listening.reading import prime_of, read_prime
from radio.compose.listening.song import song_of
from radio.compose.prime import Prime, as_json, describe, from_json, random_prime
from radio.errors import MidiError, SettingsError
from radio.music.midi_parts import PartChoice, parse_part
from radio.music.midi_score import Score
from radio.types import TICKS_PER_BAR
from tests.compose.listening.songs import LOOP, song


def heard(score: Score, choice: PartChoice | None = None) -> Prime:
    return prime_of(score, "song", choice or PartChoice())


@pytest.mark.parametrize("semitones", [0, 3, 8])
def test_tempo_key_chords_and_passage_of_a_song_are_found(tmp_path: Path, semitones: int) -> None:
    prime = heard(song(tmp_path / "song.mid", semitones=semitones, tempo=73))
    assert prime.tempo == pytest.approx(73, rel=0.001)
    assert (prime.key, prime.mode) == ({0: "C", 3: "Eb", 8: "Ab"}[semitones], "major")
    assert prime.loops is not None
    roots = [chord.root for chord in prime.loops["A"].halves[::2]]
    assert roots == [(root + semitones) % 12 for root in (2, 7, 0, 9)]
    assert prime.passage.bars == 4
    assert {note.start % TICKS_PER_BAR for note in prime.passage.notes} == {0, 240}
    assert len(prime.passage.notes) == 4 * 2 * 4
    assert "key " in describe(prime)


def test_the_texture_is_that_of_the_passage(tmp_path: Path) -> None:
    held = heard(song(tmp_path / "held.mid")).texture
    assert held is not None
    assert (held.kind, held.voices, held.onsets, held.thickness, held.restrike) == ("pad", 4, 0.5, 4.0, 2)
    assert held.length == pytest.approx(200 / 120, abs=0.1)
    busy = heard(song(tmp_path / "busy.mid", strikes=(0, 120, 240, 360))).texture
    assert busy is not None
    assert (busy.kind, busy.onsets, busy.length, busy.restrike) == ("comp", 1.0, 0.0, 1)


@pytest.mark.parametrize(
    ("loop", "mode"), [(("Am7", "Fmaj7", "Dm7", "E7"), "minor"), (("Cmaj7", "Am7", "Dm7", "G7"), "major")]
)
def test_relative_keys_are_told_apart_by_their_tonics(tmp_path: Path, loop: tuple[str, ...], mode: str) -> None:
    prime = heard(song(tmp_path / "song.mid", loop=loop))
    assert (prime.key, prime.mode) == ("C", mode)


def test_drums_and_melody_are_used_if_a_song_has_them(tmp_path: Path) -> None:
    prime = heard(song(tmp_path / "song.mid"))
    assert prime.drums is not None
    assert {(note.start % TICKS_PER_BAR, note.note) for note in prime.drums.notes} >= {(0, 36), (120, 38), (60, 42)}
    assert prime.motif is not None
    assert min(note.note for note in prime.motif.notes) >= 72, "the flute's line, not the keys'"
    assert heard(song(tmp_path / "plain.mid", drums=False)).drums is None


@pytest.mark.parametrize(("written", "played"), [(168, 84), (40, 80), (108, 108), (112, 110)])
def test_a_tempo_out_of_range_is_halved_or_doubled(tmp_path: Path, written: float, played: float) -> None:
    assert heard(song(tmp_path / "song.mid", tempo=written)).tempo == pytest.approx(played, rel=0.001)


def freely(score: Score, tempo: float) -> Score:
    """Return a song as if it had been recorded without a click, at a tempo other than that in its file."""
    generator = random.Random(3)
    factor = 120 / tempo
    notes = [
        replace(
            note, start=round(97 + note.start * factor + generator.gauss(0, 2)), end=round(97 + note.end * factor) + 2
        )
        for note in score.notes
    ]
    return Score(score.ppq, sorted(notes))


@pytest.mark.parametrize("tempo", [67.0, 74.0, 93.0])
def test_the_beats_of_a_performance_are_found(tmp_path: Path, tempo: float) -> None:
    score = freely(song(tmp_path / "song.mid", turns=8), tempo)
    assert song_of(score, PartChoice()).played_freely
    prime = heard(score)
    assert prime.tempo == pytest.approx(tempo, rel=0.02)
    assert prime.key == "C"
    assert prime.loops is not None
    assert sorted(chord.root for chord in prime.loops["A"].halves[::2]) == [0, 2, 7, 9]


def test_a_song_that_never_repeats_gives_its_first_bars(tmp_path: Path) -> None:
    loop = ("Cmaj7", "Dm7", "Em7", "Fmaj7", "G7", "Am7", "Bm7b5", "Cmaj7", "Ebmaj7", "Abmaj7", "Dbmaj7", "G7")
    prime = heard(song(tmp_path / "song.mid", loop=loop, turns=1))
    assert prime.passage.bars in (2, 4, 8)
    assert prime.passage.notes


def test_the_part_can_be_named(tmp_path: Path) -> None:
    score = song(tmp_path / "song.mid")
    low = heard(score, parse_part("track bass"))
    assert max(note.note for note in low.passage.notes) <= 48 + 12
    assert {len(heard(score, parse_part(words)).passage.notes) for words in ("channel 1", "program 4", "")} == {32}
    with pytest.raises(MidiError, match="it has no such part; choose a track"):
        heard(score, parse_part("channel 9"))
    with pytest.raises(SettingsError, match="unknown part 'the left one'; write channel 1 to 16"):
        parse_part("the left one")


def test_an_unusable_file_is_refused_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    score = song(tmp_path / "song.mid")
    with pytest.raises(MidiError, match="it is in 3/4; bars of four beats are needed"):
        heard(replace(score, time_signatures=[(0, 3, 4)]))
    with pytest.raises(MidiError, match="its keyboard part has fewer than 8 notes"):
        heard(replace(score, notes=score.notes[:4]))
    with pytest.raises(MidiError, match="no keyboard part"):
        heard(replace(score, notes=[note for note in score.notes if note.track == "Flute"]))
    drums = [note for note in score.notes if note.channel == 9]
    with pytest.raises(MidiError, match="it has only drums; a keyboard part is needed"):
        heard(replace(score, notes=drums))
    with pytest.raises(MidiError, match="the named part has only drums"):
        heard(score, parse_part("channel 10"))
    monkeypatch.setattr("radio.compose.listening.song.MOST_NOTES", 20)
    with pytest.raises(MidiError, match=r"it has \d+ notes; a file to start from has at most 20"):
        heard(score)
    (tmp_path / "noise.mid").write_bytes(b"noise")
    with pytest.raises(MidiError, match=r"noise\.mid: not a standard MIDI file"):
        read_prime(tmp_path / "noise.mid", PartChoice())


def test_short_chords_and_passing_bass_notes_do_not_change_the_chord(tmp_path: Path) -> None:
    score = song(tmp_path / "song.mid", strikes=(0,), loop=("Dm9", "Bbmaj9", "Fmaj9", "Am7"))
    short = replace(score, notes=[replace(note, end=min(note.end, note.start + 30)) for note in score.notes])
    listened = song_of(short, PartChoice())
    roots = [chord.root for chord in find_harmony(listened.pitched, listened.bars)[0]]
    assert roots[:8] == [2, 2, 10, 10, 5, 5, 9, 9]


def test_a_prime_survives_a_round_trip_through_json(tmp_path: Path) -> None:
    prime = heard(song(tmp_path / "song.mid"))
    assert from_json(as_json(prime)) == prime
    assert from_json(as_json(random_prime(7))) == random_prime(7) != random_prime(8)
    assert LOOP[0] in describe(prime)


def test_a_second_passage_is_taken_from_the_other_loop(tmp_path: Path) -> None:
    loop = (*LOOP * 2, "Em7", "A7", "Fmaj7", "Bm7b5")
    prime = heard(song(tmp_path / "song.mid", loop=loop, turns=2))
    assert prime.loops is not None
    assert prime.second is not None
    first, second = (prime.loops[name] for name in ("A", "B"))
    assert first != second
    for phrase, chords in ((prime.passage, first), (prime.second, second)):
        assert phrase.bars == chords.bars
        for bar in range(phrase.bars):
            tones = chords.halves[2 * bar].tones
            assert {note.note % 12 for note in phrase.bar(bar, 0)} <= tones


def test_a_typical_passage_is_preferred(tmp_path: Path) -> None:
    score = song(tmp_path / "song.mid", turns=4)
    high = [
        replace(note, note=note.note + 12) if note.track == "Keys" and note.start < 4 * 4 * score.ppq else note
        for note in score.notes
    ]
    prime = heard(replace(score, notes=sorted(high)))
    assert max(note.note for note in prime.passage.notes) < 72, "three of the four turns are lower"
