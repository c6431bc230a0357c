from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from radio.errors import SettingsError
from radio.music.chords import NO_CHORD, parse_chord
from radio.music.events import Note
from radio.music.parts import PIANO
from radio.music.tokenizer import decode, events_to_notes
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT
from tests.train.data.arrange.songs import LOOP, song
from train.data.arrange.enrichment import enrich, tonic_of
from train.data.arrange.pipeline import STAGES, arrange, parse_stages
from train.data.arrange.sections import keep_steady_sections
from train.data.arrange.sustain import EIGHTH, sustain
from train.data.arrange.thinning import thin
from train.data.arrange.touch import soften
from train.data.arrange.voicing import voice
from train.data.corpus.piece import Piece

SEEDS = range(20)


def test_stages_are_chosen_by_name_and_run_in_a_fixed_order() -> None:
    assert parse_stages("all") == tuple(STAGES)
    assert parse_stages("touch,harmony") == ("harmony", "touch")
    with pytest.raises(SettingsError, match=r"no stage 'voicings'. Did you mean 'voicing'\?"):
        parse_stages("voicings")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_a_pure_function_of_piece_and_generator(stage: str) -> None:
    piece = song()
    first = STAGES[stage](piece, Random(1))
    assert STAGES[stage](piece, Random(1)) == first
    assert piece == song(), "the input is not changed"


def test_variants_differ_and_are_reproducible() -> None:
    one, two = arrange(song(), parse_stages("all"), 0), arrange(song(), parse_stages("all"), 1)
    assert one is not None
    assert two is not None
    assert one.notes != two.notes
    assert arrange(song(), parse_stages("all"), 0) == one


def test_omitting_a_stage_does_not_change_the_draws_of_the_others() -> None:
    with_touch, without = (
        arrange(song(), parse_stages("all")),
        arrange(song(), parse_stages("sections,harmony,thinning,voicing")),
    )
    assert with_touch is not None
    assert without is not None
    assert {(note.start, note.note) for note in with_touch.notes} == {(note.start, note.note) for note in without.notes}


@pytest.mark.parametrize("seed", SEEDS)
def test_an_arrangement_survives_encoding_as_tokens(seed: int) -> None:
    piece = arrange(song(bars=16), parse_stages("all"), seed)
    assert piece is not None
    times = [(note.start, note.end, note.note) for note in events_to_notes(decode(piece.tokens()))]
    assert times == sorted((note.start, note.end, note.note) for note in piece.notes)


# harmony


@pytest.mark.parametrize("semitones", range(12))
def test_the_key_is_found_in_every_transposition(semitones: int) -> None:
    assert tonic_of([parse_chord(name).transposed(semitones) for name in LOOP]) == semitones


@pytest.mark.parametrize("seed", SEEDS)
def test_triads_are_enriched_and_keep_their_function(seed: int) -> None:
    piece = song()
    rich = enrich(piece, Random(seed)).chords
    assert len(rich) == len(piece.chords)
    assert not {chord.quality for chord in rich} & {"maj", "min"}
    for before, after in zip(piece.chords, rich, strict=True):
        tritone = after.quality == "dom7" and (after.root - before.root) % 12 == 6
        passing = after.quality == "dim"
        assert after.root == before.root or tritone or passing


def test_a_loop_stays_a_loop() -> None:
    rich = enrich(song(bars=16), Random(3)).chords
    assert rich[:28] == rich[32:60], "the last chord of the piece has no successor and may differ"


def test_rare_qualities_occur() -> None:
    songs = [song(), song(("C", "E", "Am", "Bdim")), song(("Am", "Dm", "G", "C"))]
    seen = {chord.quality for piece in songs for seed in range(40) for chord in enrich(piece, Random(seed)).chords}
    assert {"maj7", "maj9", "6", "min7", "min9", "dom7", "sus", "aug", "dim", "hdim7"} <= seen


def test_beats_without_a_chord_stay_without_one() -> None:
    assert enrich(song(("N", "N")), Random(1)).chords == song(("N", "N")).chords


# thinning


@pytest.mark.parametrize("seed", SEEDS)
def test_thinning_only_removes_onsets_and_keeps_every_chord_change(seed: int) -> None:
    piece = song(bars=16)
    kept = thin(piece, Random(seed))
    assert set(kept.notes) <= set(piece.notes)
    assert len({note.start for note in kept.notes}) < len({note.start for note in piece.notes})
    changes = {
        beat * TICKS_PER_BEAT
        for beat in range(64)
        if beat % 4 == 0 or piece.chords[beat] != piece.chords[beat - 1]
    }  # fmt: skip
    assert changes <= {note.start for note in kept.notes}


def test_a_late_onset_is_moved_to_its_chord_change() -> None:
    piece = song()
    piece.notes = [Note(note.start + 40, note.end + 40, note.note, 80) for note in piece.notes if note.start % 240 == 0]
    starts = {note.start for note in thin(piece, Random(1)).notes}
    assert starts >= {bar * TICKS_PER_BAR for bar in range(8)}
    assert starts & set(range(280, 3 * TICKS_PER_BAR, TICKS_PER_BAR)) == set(), "the chord changes there at 240"


# voicing


@pytest.mark.parametrize("seed", SEEDS)
def test_voicings_are_made_of_chord_tones_with_at_most_one_low_note(seed: int) -> None:
    piece = enrich(song(bars=16), Random(seed))
    notes = voice(piece, Random(seed)).notes
    assert {note.start for note in notes} == {note.start for note in piece.notes}
    at: dict[int, list[int]] = {}
    for note in notes:
        at.setdefault(note.start, []).append(note.note)
    top = 0
    for start, pitches in sorted(at.items()):
        tones = piece.chords[start // TICKS_PER_BEAT].tones
        foreign = [pitch for pitch in pitches if pitch % 12 not in tones]
        assert not foreign or (start % TICKS_PER_BEAT and max(foreign) == max(pitches) and abs(max(foreign) - top) <= 2)
        assert sum(pitch < 48 for pitch in pitches) <= 1, "at most one note is below C3"
        assert len(set(pitches)) == len(pitches) <= 5
        top = max(pitches)


def test_passing_notes_occur_but_rarely() -> None:
    notes, foreign = 0, 0
    for seed in SEEDS:
        piece = enrich(song(bars=16), Random(seed))
        for note in voice(piece, Random(seed)).notes:
            notes += 1
            foreign += note.note % 12 not in piece.chords[note.start // TICKS_PER_BEAT].tones
    assert 0.01 < foreign / notes < 0.3


def test_voices_move_in_small_steps() -> None:
    moves = []
    for seed in SEEDS:
        notes = voice(enrich(song(bars=32), Random(seed)), Random(seed)).notes
        opening = [note for note in notes if note.start % 240 == 0 and note.note >= 55]
        lowest = [min(n.note for n in opening if n.start == start) for start in range(0, 32 * TICKS_PER_BAR, 240)]
        moves += [abs(one - other) for one, other in pairwise(lowest)]
    assert sum(moves) / len(moves) < 5, "a fourth or less from chord to chord, on average"


# sustain


@pytest.mark.parametrize("seed", SEEDS)
def test_notes_end_at_a_chord_change_or_at_their_next_onset(seed: int) -> None:
    piece = song(bars=16)
    held = sustain(piece, Random(seed))
    assert [(note.start, note.note, note.velocity) for note in held.notes] == [
        (note.start, note.note, note.velocity) for note in piece.notes
    ]
    for note in held.notes:
        last = (note.end - 1) // TICKS_PER_BEAT
        assert piece.chords[last] == piece.chords[note.start // TICKS_PER_BEAT]
        assert not any(note.start < other.start < note.end for other in held.notes if other.note == note.note)


def test_a_melody_of_eighths_is_never_released_early() -> None:
    notes = [Note(start, start + 30, 60, 80) for start in range(0, 3 * TICKS_PER_BEAT, EIGHTH)]
    piece = Piece("test", PIANO, "train", 1, notes, [parse_chord("C")] * 4)
    for seed in range(20):
        lengths = [note.end - note.start for note in sustain(piece, Random(seed)).notes]
        assert lengths[:-1] == [EIGHTH] * (len(notes) - 1)


# touch and sections


def test_touch_softens_notes_and_keeps_the_accents() -> None:
    piece = song()
    soft = soften(piece, Random(1)).notes
    velocities = [note.velocity for note in soft]
    assert (
        max(velocities) - min(velocities)
        < 20
        < max(n.velocity for n in piece.notes) - min(n.velocity for n in piece.notes)
    )
    order = sorted(range(len(soft)), key=lambda place: piece.notes[place].velocity)
    assert velocities[order[0]] < velocities[order[-1]]


def test_sections_without_a_steady_rhythm_are_left_out() -> None:
    piece = song(bars=24)
    random = Random(1)
    wandering = range(8, 16)
    piece.notes = [
        note
        for note in piece.notes
        if note.start // TICKS_PER_BAR not in wandering or (random.random() < 0.3 and note.start % TICKS_PER_BAR)
    ]
    kept = keep_steady_sections(piece, Random(1))
    assert kept.bars == 16
    gone = 8 * TICKS_PER_BAR
    assert kept.notes == [
        note if note.start < gone else Note(note.start - gone, note.end - gone, note.note, note.velocity)
        for note in song(bars=24).notes
        if note.start // TICKS_PER_BAR not in wandering
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_onsets_without_a_chord_are_voiced_as_an_open_fifth(seed: int) -> None:
    piece = song()
    piece = replace(piece, chords=[NO_CHORD] * len(piece.chords))
    pitches = {note.note % 12 for note in voice(piece, Random(seed)).notes if note.start % TICKS_PER_BAR == 0}
    assert pitches == {0, 7}
