from __future__ import annotations

from itertools import pairwise
from random import Random
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.compose.bass import write_bass
from radio.compose.bass_line import clash, clashing, places_of
from radio.compose.phrase import Phrase, chord_at, phrase_of
from radio.model.bass_model import LOWEST, BassModel, read
from radio.music.chords import Chord, parse_chord
from radio.music.events import Note
from radio.paths import CHECKPOINTS
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT

ROOTS = st.integers(0, 11).map(lambda root: Chord(root, "min7"))
KICKS = st.lists(st.frozensets(st.integers(0, 31).map(lambda place: place * 15), max_size=8), min_size=1, max_size=2)
STYLES = st.sampled_from(["hiphop", "soul", "jazz"])
MODEL = read(CHECKPOINTS / "bass.safetensors")
KICKS_OF_A_LOOP = [frozenset({0, 150, 270}), frozenset({0, 210, 300, 420})]
LOOPS = (
    ("Dm9", "G7", "Cmaj9", "A7"),
    ("Cmaj9", "A7", "Dm9", "G7"),
    ("Bm7b5", "E7", "Am9", "Am7"),
    ("Fmaj7", "Bm7b5", "Em7", "A7"),
)


def chords_of(names: tuple[str, ...], semitones: int = 0) -> list[Chord]:
    return [parse_chord(name).transposed(semitones) for name in names for _ in range(4)]


def is_root(note: Note, chords: list[Chord]) -> bool:
    return note.note % 12 == chord_at(chords, note.start).root


@given(st.lists(ROOTS, min_size=4, max_size=4), KICKS, STYLES, st.integers(0, 1_000), st.booleans())
def test_the_line_is_one_note_at_a_time_within_its_bars_and_range(
    roots: list[Chord], kicks: list[frozenset[int]], style: str, seed: int, trained: bool
) -> None:
    chords = [chord for chord in roots for _ in range(4)]
    line = write_bass(chords, 4, kicks, style, Random(seed), **({"model": MODEL} if trained else {}))
    assert line.notes[0].start == 0
    for note, following in pairwise(line.notes):
        assert note.end <= following.start
    assert all(0 <= note.start < note.end <= 4 * TICKS_PER_BAR for note in line.notes)
    assert all(LOWEST - 2 <= note.note < LOWEST + 26 for note in line.notes)
    assert all(1 <= note.velocity <= 127 for note in line.notes)


@given(KICKS, st.integers(0, 1_000))
def test_notes_of_other_than_walking_styles_fall_on_kicks_and_new_chords(
    kicks: list[frozenset[int]], seed: int
) -> None:
    chords = [parse_chord("Dm7")] * 4 + [parse_chord("G7")] * 4
    line = write_bass(chords, 2, kicks, "hiphop", Random(seed), model=MODEL)
    for bar in range(2):
        notes, own_kicks = line.bar(bar, 0), kicks[bar % len(kicks)]
        assert 1 <= len(notes) <= 4
        spare = [note.start for note in notes if note.start not in own_kicks | {0}]
        assert len(spare) <= 1
        assert not spare or len(notes) <= 3, "a bar with enough kicks has no other note"


def test_a_groove_has_two_or_three_notes_per_bar_all_on_the_kick() -> None:
    lines = [
        write_bass(chords_of(LOOPS[seed % 4]), 4, KICKS_OF_A_LOOP, "hiphop", Random(seed), model=MODEL)
        for seed in range(40)
    ]
    counts = [len(line.bar(bar, 0)) for line in lines for bar in range(3)]
    assert set(counts) <= {2, 3}
    on_kicks = [
        note.start % TICKS_PER_BAR in KICKS_OF_A_LOOP[note.start // TICKS_PER_BAR % 2]
        for line in lines
        for note in line.notes
    ]
    assert all(on_kicks)


def test_the_rhythm_of_a_groove_repeats_with_the_drum_loop() -> None:
    for seed in range(10):
        line = write_bass(chords_of(LOOPS[0]) * 2, 8, KICKS_OF_A_LOOP, "soul", Random(seed), model=MODEL)
        onsets = [[note.start for note in line.bar(bar, 0)] for bar in range(8)]
        assert onsets[0] == onsets[2] == onsets[4] == onsets[6]
        assert onsets[1] == onsets[3] == onsets[5]


def test_50_to_70_percent_of_the_notes_of_grooves_are_roots() -> None:
    shares = []
    for seed in range(72):
        chords = chords_of(LOOPS[seed % 4], seed % 12)
        line = write_bass(chords, 4, KICKS_OF_A_LOOP, "hiphop", Random(seed), model=MODEL)
        shares.append(fmean(is_root(note, chords) for note in line.notes))
    assert 0.5 <= fmean(shares) <= 0.7


def test_a_groove_over_half_bar_chords_has_as_many_roots() -> None:
    names = ("Am7", "D7", "Gmaj7", "Cmaj7", "Fmaj7", "E7", "Am7", "A7")
    chords = [parse_chord(name) for name in names for _ in range(2)]
    lines = [write_bass(chords, 4, KICKS_OF_A_LOOP, "hiphop", Random(seed), model=MODEL) for seed in range(48)]
    assert 0.5 <= fmean(is_root(note, chords) for line in lines for note in line.notes) <= 0.7


def test_a_walking_line_has_a_note_on_every_beat() -> None:
    chords = chords_of(("Dm7", "G7", "Cmaj7", "Am7"))
    for seed in range(20):
        line = write_bass(chords, 4, [frozenset()], "jazz", Random(seed), model=MODEL)
        starts = [note.start for note in line.notes if note.start % TICKS_PER_BEAT == 0]
        assert starts == list(range(0, 4 * TICKS_PER_BAR, TICKS_PER_BEAT))
        assert line.notes[0].note % 12 == chords[0].root


def test_walking_lines_have_the_intervals_of_held_out_bassists() -> None:
    held_out = MODEL.card["held_out"]
    assert isinstance(held_out, dict)
    human = np.array(held_out["intervals"], dtype=float)
    counts = np.zeros(12)
    for seed in range(80):
        chords = chords_of(LOOPS[seed % 4], seed % 12)
        for note in write_bass(chords, 4, [], "jazz", Random(seed), model=MODEL).notes:
            if note.start % TICKS_PER_BEAT == 0:
                counts[(note.note - chord_at(chords, note.start).root) % 12] += 1
    shares = counts / counts.sum()
    assert np.minimum(shares, human).sum() >= 0.85
    assert shares[0] == pytest.approx(human[0], abs=0.06)


@pytest.mark.parametrize("style", ["jazz", "hiphop"])
def test_velocities_and_lengths_vary_and_the_first_beat_is_the_strongest(style: str) -> None:
    notes = [
        note
        for seed in range(24)
        for note in write_bass(chords_of(LOOPS[0]), 4, KICKS_OF_A_LOOP, style, Random(seed), model=MODEL).notes
    ]
    assert len({note.velocity for note in notes}) >= 20
    assert len({note.end - note.start for note in notes}) >= 6
    first = fmean(note.velocity for note in notes if note.start % TICKS_PER_BAR == 0)
    assert first > fmean(note.velocity for note in notes if note.start % TICKS_PER_BAR) + 3


def test_a_walking_line_has_occasional_pickups_dead_notes_and_slides() -> None:
    lines = [write_bass(chords_of(LOOPS[0]), 4, [], "jazz", Random(seed), model=MODEL) for seed in range(60)]
    extra = [note for line in lines for note in line.notes if note.start % TICKS_PER_BEAT]
    assert 0.02 < len(extra) / (60 * 16) < 0.15
    assert any(note.velocity < 50 and note.end - note.start < 20 for note in extra), "a dead note"
    assert any(note.end - note.start > 30 for note in extra), "a pickup"


@given(st.integers(0, 500), st.lists(st.integers(48, 72), min_size=1, max_size=4), STYLES)
def test_no_bass_note_sounds_a_semitone_from_a_key_for_a_beat(seed: int, pitches: list[int], style: str) -> None:
    chords = chords_of(LOOPS[seed % 4])
    held = [Note(bar * 480, bar * 480 + 480, pitch, 70) for bar in range(4) for pitch in pitches[bar:] or pitches]
    keys = phrase_of(held, 4)
    line = write_bass(chords, 4, KICKS_OF_A_LOOP, style, Random(seed), model=MODEL, keys=keys)
    for note in line.notes:
        for key in keys.notes:
            together = min(note.end, key.end) - max(note.start, key.start)
            beside = (key.note - note.note) % 12 == 1 or key.note == note.note - 1
            assert not (beside and together >= TICKS_PER_BEAT)


def test_a_clash_is_the_time_next_to_a_key_and_wraps_around_with_the_phrase() -> None:
    keys = Phrase(1, (Note(0, 240, 61, 70), Note(240, 480, 64, 70)))
    assert clash(36, 0, 480, keys) == 240
    assert clash(36, 480, 600, keys) == 120
    assert clash(62, 0, 480, keys) == 240, "a semitone above a key"
    assert clash(38, 0, 480, keys) == 0, "a major seventh is no clash"
    assert clash(36, 0, 480, None) == 0


def test_notes_clash_if_they_sound_a_semitone_apart_for_a_beat() -> None:
    bass = [Note(0, 240, 36, 80)]
    assert clashing(bass, [Note(120, 480, 61, 70)])
    assert not clashing(bass, [Note(121, 480, 61, 70)])
    assert not clashing(bass, [Note(0, 480, 60, 70), Note(0, 480, 47, 70)])


def test_places_count_beats_to_both_chords_around_the_loop() -> None:
    a, b = parse_chord("Am7"), parse_chord("G7")
    places = places_of([a, a, b, a])
    assert [(place.since, place.left, place.following) for place in places] == [
        (1, 2, b),
        (2, 1, b),
        (0, 1, a),
        (0, 3, b),
    ]
    assert [place.following for place in places_of([a, a])] == [a, a]


def test_the_same_generator_writes_the_same_line() -> None:
    chords = chords_of(LOOPS[0])
    for style in ("jazz", "hiphop"):
        first, again, other = (
            write_bass(chords, 4, KICKS_OF_A_LOOP, style, Random(seed), model=MODEL) for seed in (1, 1, 2)
        )
        assert first == again != other


def test_there_is_no_bass_without_a_chord() -> None:
    assert write_bass([parse_chord("N")] * 4, 1, [frozenset({0})], "hiphop", Random(1)).notes == ()


@pytest.mark.parametrize("style", ["jazz", "hiphop"])
@pytest.mark.parametrize("model", [MODEL, None])
def test_a_bar_without_a_chord_is_silent(style: str, model: BassModel | None) -> None:
    chords = chords_of(("Dm7", "N", "G7", "N"))
    line = write_bass(chords, 4, KICKS_OF_A_LOOP, style, Random(3), **({"model": model} if model else {}))
    assert {note.start // TICKS_PER_BAR for note in line.notes} == {0, 2}
