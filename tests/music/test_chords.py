from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.music.chords import INTERVALS, NO_CHORD, Chord, parse_chord, pitch_class, pitch_name
from radio.music.vocab import NAMES, QUALITIES

CHORDS = st.builds(Chord, st.integers(0, 11), st.sampled_from([q for q in QUALITIES if q != "none"]))


@pytest.mark.parametrize(
    ("name", "tones"),
    [
        ("Dm7", {2, 5, 9, 0}),
        ("G7", {7, 11, 2, 5}),
        ("Cmaj7", {0, 4, 7, 11}),
        ("Am7", {9, 0, 4, 7}),
        ("Bbmaj9", {10, 2, 5, 9, 0}),
        ("F#m7b5", {6, 9, 0, 4}),
        ("N", set()),
    ],
)
def test_a_chord_name_gives_its_tones(name: str, tones: set[int]) -> None:
    assert parse_chord(name).tones == tones


@given(CHORDS)
def test_a_chord_survives_a_round_trip_through_its_name(chord: Chord) -> None:
    assert parse_chord(str(chord)) == chord


@given(CHORDS, st.integers(-24, 24))
def test_transposition_moves_every_tone(chord: Chord, semitones: int) -> None:
    assert chord.transposed(semitones).tones == {(tone + semitones) % 12 for tone in chord.tones}


@given(CHORDS)
def test_tokens_are_root_then_quality(chord: Chord) -> None:
    assert [NAMES[token] for token in chord.tokens] == [f"<r{chord.root}>", f"<q:{chord.quality}>"]


def test_no_chord_is_one_token() -> None:
    assert [NAMES[token] for token in NO_CHORD.tokens] == ["<q:none>"]


def test_every_quality_has_intervals() -> None:
    assert set(INTERVALS) == set(QUALITIES)


@pytest.mark.parametrize("name", ["H7", "Cfoo", "", "c", "C##"])
def test_an_unknown_chord_is_rejected_with_the_valid_names(name: str) -> None:
    with pytest.raises(ValueError, match=r"unknown chord .*; use a root A–G"):
        parse_chord(name)


def test_pitch_names_wrap_around_at_c() -> None:
    assert [pitch_class(name) for name in ("C", "B", "Cb", "B#", "F#", "Gb")] == [0, 11, 11, 0, 6, 6]
    assert [pitch_name(pitch) for pitch in (0, 11, 12)] == ["C", "B", "C"]
