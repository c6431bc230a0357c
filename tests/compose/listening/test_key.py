"""Keys of chord loops and of tunes, in all twelve transpositions."""

from __future__ import annotations

import numpy as np
import pytest

from radio.compose.listening.harmony import find_harmony
from radio.compose.listening.key import changes_of, find_key, function, usual_in
from radio.music.chord_loops import parse_loop
from radio.music.chord_naming import CHORDS
from radio.music.chords import Chord, parse_chord
from radio.music.events import Note
from radio.types import TICKS_PER_BEAT


def sounding(chords: list[Chord]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    times = np.zeros(12)
    for chord in chords:
        times[[*chord.tones]] += 1
    return times


@pytest.mark.parametrize("semitones", range(12))
@pytest.mark.parametrize(
    ("loop", "mode"),
    [
        (["Dm7", "G7", "Cmaj7", "Am7"], "major"),
        (["Fmaj7", "Em7", "Dm7", "Cmaj7"], "major"),
        (["Am7", "Dm7", "E7", "Am7"], "minor"),
        (["Am7", "Fmaj7", "Cmaj7", "G"], "minor"),
    ],
)
def test_loops_are_heard_in_their_key(loop: list[str], mode: str, semitones: int) -> None:
    chords = [chord.transposed(semitones) for chord in parse_loop(loop).halves]
    key = find_key(sounding(chords), chords)
    assert key.tonic == semitones
    if loop[0] != "Am7" or "E7" in loop:  # the other loop may also be heard as C major
        assert key.mode == mode


@pytest.mark.parametrize("tonic", [0, 7, 2])
def test_tunes_are_heard_in_their_key(tonic: int) -> None:
    beat = TICKS_PER_BEAT
    tune = (67, 67, 69, 67, 72, 71, 67, 67, 69, 67, 74, 72)  # "Good Morning to All", printed in 1893
    notes = [Note(place * beat, (place + 1) * beat, note + tonic, 80) for place, note in enumerate(tune)]
    assert find_harmony(notes, 3)[1].tonic == tonic


def test_without_chords_the_pitch_classes_decide() -> None:
    times = np.array([5, 0, 2, 0, 3, 2, 0, 4, 0, 2, 0, 1], float)
    assert find_key(times, []) == (0, "major")


def test_chords_of_the_key_are_more_common_than_others() -> None:
    usual = dict(zip(CHORDS, usual_in(0, CHORDS), strict=True))
    for inside in ("Cmaj7", "Dm7", "G7", "Am7", "Fmaj7", "Em7"):
        assert usual[parse_chord(inside)] > 0
    for outside in ("F#maj7", "Ebm7", "Bmaj7"):
        assert usual[parse_chord(outside)] < usual[parse_chord("E7")]
    assert [function(chord.transposed(5), 5) for chord in CHORDS] == [function(chord, 0) for chord in CHORDS]


def test_changes_skip_repeated_chords_and_wrap_around() -> None:
    assert changes_of([3, 3, 5, 5, 7]) == [(3, 5), (5, 7), (7, 3)]
    assert changes_of([3, 3]) == [(3, 3)]
