from __future__ import annotations

from math import log2

import pytest

from radio.music.chords import Chord, parse_chord
from radio.music.events import Note
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT
from train.metrics import pitch, rhythm, thesis
from train.metrics.passage import Passage

C, Q = parse_chord("C"), TICKS_PER_BEAT


def line(*pitches: int, step: int = Q, chord: Chord = C, bars: int = 4) -> Passage:
    """Return a passage of one note per step, as long as the step, over one chord."""
    notes = [Note(place * step, (place + 1) * step, pitch_number, 80) for place, pitch_number in enumerate(pitches)]
    return Passage(notes, bars, (chord,) * (4 * bars))


def test_the_entropy_of_even_pitch_classes_is_known() -> None:
    assert pitch.pitch_class_entropy(line(*range(60, 72))) == pytest.approx(log2(12))
    assert pitch.pitch_class_entropy(line(60, 72, 48)) == 0
    assert pitch.pitch_class_entropy(line(60, 67)) == 1


@pytest.mark.parametrize("tonic", range(12))
def test_a_scale_is_consistent_in_every_key(tonic: int) -> None:
    major, minor = (60, 62, 64, 65, 67, 69, 71), (60, 62, 63, 65, 67, 68, 71)
    for scale in (major, minor):
        assert pitch.scale_consistency(line(*(pitch_number + tonic for pitch_number in scale))) == 1
    assert pitch.scale_consistency(line(*range(60, 72))) == pytest.approx(7 / 12)


def test_chord_tones_and_notes_that_resolve_to_them_count() -> None:
    assert pitch.chord_tone_ratio(line(60, 64, 67)) == 1
    assert pitch.chord_tone_ratio(line(60, 62, 64)) == 1, "a passing tone is proper"
    assert pitch.chord_tone_ratio(line(60, 65, 72)) == pytest.approx(2 / 3), "one that is left by a leap is not"
    assert pitch.chord_tone_time(line(60, 62, 64, 65)) == 0.5
    assert pitch.chord_tone_ratio(Passage([], 4, (C,) * 16)) == 1


def test_only_the_highest_note_of_an_onset_is_melody() -> None:
    chord = Passage([Note(0, Q, 60, 80), Note(0, Q, 66, 80), Note(Q, 2 * Q, 61, 80)], 1, (C,) * 4)
    assert [note.note for note in chord.top_line] == [66, 61]


def test_consonance_with_the_chord() -> None:
    assert pitch.pitch_consonance(line(60)) == pytest.approx(2 / 3), "a unison, a sixth and a fourth with C, E and G"
    assert pitch.pitch_consonance(line(61)) == pytest.approx(-1 / 3), "two dissonances and a sixth"


def test_tonal_distance_grows_from_chord_tones_to_foreign_notes() -> None:
    distances = {name: pitch.tonal_distance(line(60 + step)) for name, step in (("C", 0), ("G", 7), ("F#", 6))}
    assert distances["C"] == pytest.approx(distances["G"], abs=0.2)
    assert distances["F#"] > distances["C"] + 0.5
    up = [pitch.tonal_distance(line(60 + step, chord=C.transposed(step))) for step in range(12)]
    assert up == pytest.approx([up[0]] * 12), "transposing both changes nothing"


def test_grooves_that_repeat_are_consistent() -> None:
    same = Passage(
        [
            Note(bar * TICKS_PER_BAR + tick, bar * TICKS_PER_BAR + tick + 1, 60, 80)
            for bar in range(4)
            for tick in (0, 120, 300)
        ],
        4,
    )
    assert rhythm.groove_consistency(same) == 1
    other = Passage([*same.notes[:-1], Note(3 * TICKS_PER_BAR + 60, 3 * TICKS_PER_BAR + 61, 60, 80)], 4)
    assert rhythm.groove_consistency(other) == pytest.approx(1 - (2 / 48) / 3)


def test_repetition_is_found_at_its_own_lag() -> None:
    melody = [60 + bar % 4 for bar in range(16)]
    notes = [
        Note(bar * TICKS_PER_BAR, bar * TICKS_PER_BAR + Q, pitch_number, 80) for bar, pitch_number in enumerate(melody)
    ]
    passage = Passage(notes, 16)
    assert rhythm.repetition(passage, 4) == rhythm.repetition(passage, 8) == 1
    assert rhythm.repetition(passage, 3) == 0
    assert rhythm.repetition(passage, 16) == 0, "there is nothing 16 bars later"


def test_polyphony_note_length_and_range_of_held_chords_are_measured() -> None:
    held = Passage([Note(0, 4 * Q, 60, 80), Note(0, 4 * Q, 64, 80), Note(2 * Q, 4 * Q, 67, 80)], 2)
    assert rhythm.polyphony(held) == pytest.approx(2.5), "while anything sounds"
    assert rhythm.note_density(held) == 3 / 8
    assert rhythm.note_length(held) == pytest.approx(10 / 3)
    assert rhythm.pitch_range(held) == 7
    short = Passage([Note(0, 20, 60, 80), Note(0, Q, 64, 80)], 1)
    assert rhythm.polyphony(short) == (20 + Q) / Q, "every tick counts"


def test_rhythm_consistency_falls_as_the_spread_of_onsets_grows() -> None:
    even = line(60, 62, 64, 65)
    assert thesis.rhythm_consistency(even) == 1
    assert thesis.rhythm_spread(even) == 0
    uneven = Passage([Note(tick, tick + 1, 60, 80) for tick in (0, Q, 4 * Q)], 1)
    assert thesis.rhythm_spread(uneven) == 1
    assert thesis.rhythm_consistency(uneven) == pytest.approx(2 / 3)


def test_transposed_phrases_are_similar() -> None:
    phrase = (60, 64, 67, 65, 64, 62, 60, 59, 60, 62, 64, 60, 55, 57, 59, 60)
    assert thesis.melodic_similarity(line(*phrase, *(pitch_number + 5 for pitch_number in phrase), bars=8)) == 1
    assert thesis.melodic_similarity(line(*phrase, *range(60, 76), bars=8)) < 0.3


def test_stability_and_consonance_follow_music21() -> None:
    scale = line(60, 62, 64, 65, 67, 69, 71, 72)
    assert thesis.tonal_stability(scale) > thesis.tonal_stability(line(*range(60, 72))) + 0.2
    triad = Passage([Note(0, Q, pitch_number, 80) for pitch_number in (60, 64, 67)], 1)
    cluster = Passage([Note(0, Q, pitch_number, 80) for pitch_number in (60, 61, 66)], 1)
    assert (thesis.consonance(triad), thesis.dissonance(triad)) == (1, 0)
    assert thesis.dissonance(cluster) == pytest.approx(1)
