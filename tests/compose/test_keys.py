from __future__ import annotations

from dataclasses import replace
from math import log2
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.compose import keys
from radio.compose.phrase import Phrase, phrase_of, top_line
from radio.compose.texture import Texture, draw_texture
from radio.compose.voicing import voicing
from radio.music.chords import Chord, parse_chord
from radio.music.events import Note
from radio.music.vocab import QUALITIES
from radio.types import TEXTURES, TICKS_PER_BEAT

CHORDS = [parse_chord(name) for name in ("Dm9", "G7", "Cmaj7", "Am7") for _ in range(4)]


def sampled(seed: int) -> Phrase:
    random = Random(seed)
    notes = []
    for start in range(0, 1920, 60):
        if random.random() < 0.5:
            pitches = random.sample(range(48, 80), random.randint(1, 5))
            notes += [
                Note(start, start + random.choice((60, 120, 240)), pitch, random.randint(40, 90)) for pitch in pitches
            ]
    return phrase_of(notes, 4)


def texture(kind: str, seed: int) -> Texture:
    return draw_texture(Random(seed), (kind,))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", TEXTURES)
@given(seed=st.integers(0, 10_000))
def test_a_shaped_phrase_keeps_to_its_texture(kind: str, seed: int) -> None:
    shape = texture(kind, seed)
    phrase = keys.shape(sampled(seed), CHORDS, shape)
    assert phrase.notes
    for start in {note.start for note in phrase.notes}:
        struck = [note for note in phrase.notes if note.start == start]
        assert len({note.note for note in struck}) == len(struck)
        assert len(struck) <= shape.voices + (kind == "pad")
    if kind in ("line", "thin"):
        assert max(sum(n.start <= tick < n.end for n in phrase.notes) for tick in range(0, 1920, 15)) <= shape.voices
    if kind != "pad":
        onsets = len({note.start for note in phrase.notes})
        assert onsets <= max(2, round(shape.onsets * 16))
    assert all(24 <= note.velocity <= 120 for note in phrase.notes)
    if not shape.spread:
        assert len({note.velocity for note in phrase.notes}) == 1


@given(st.integers(0, 10_000))
def test_a_pad_sounds_in_every_bar_of_a_long_chord(seed: int) -> None:
    phrase = keys.shape(sampled(seed), CHORDS[:4], texture("pad", seed))
    for place in range(4):
        assert phrase.bar(place, 0)[0].start == 0


@given(st.integers(0, 10_000))
def test_long_notes_end_up_in_their_chords(seed: int) -> None:
    phrase = keys.without_foreign_tones(sampled(seed), CHORDS)
    assert keys.chord_tone_share([n for n in phrase.notes if n.end - n.start >= TICKS_PER_BEAT], CHORDS) > 0.95


def test_ranking_prefers_chord_tones_density_and_register() -> None:
    shape = Texture("comp", 3, 1.0, 0.0, 64, 70, 12, 0, 5)
    good = phrase_of([Note(b * 120, b * 120 + 120, n, 70) for b in range(16) for n in _triad(b)], 4)
    foreign = phrase_of([Note(n.start, n.end, n.note + 1, 70) for n in good.notes], 4)
    sparse = phrase_of([note for note in good.notes if note.start % 480 == 0], 4)
    low = good.transposed(-12)
    cost = keys.rank(good, CHORDS, shape)
    for worse in (foreign, sparse, low, Phrase(4, ())):
        assert keys.rank(worse, CHORDS, shape) > cost + 0.3
    thin = phrase_of([note for note in good.notes if note.note == max(_triad(note.start // 120))], 4)
    thick = replace(shape, thickness=3.0)
    assert keys.rank(thin, CHORDS, thick) - keys.rank(thin, CHORDS, shape) == pytest.approx(log2(3))
    assert keys.rank(good, CHORDS, thick) == pytest.approx(cost)


def _triad(beat: int) -> list[int]:
    tones = CHORDS[beat].tones
    return [note for note in range(59, 73) if note % 12 in tones][:3]


@given(st.integers(0, 11), st.sampled_from(QUALITIES[:-1]), st.integers(3, 6), st.integers(55, 68), st.integers(10, 20))
def test_a_voicing_has_only_chord_tones_and_no_muddy_lows(
    root: int, quality: str, voices: int, middle: int, reach: int
) -> None:
    chord = Chord(root, quality)
    notes = voicing(chord, voices, middle, reach)
    assert list(notes) == sorted(set(notes))
    assert len(notes) <= voices
    assert {note % 12 for note in notes} <= chord.tones
    assert notes[0] >= 46


def test_voices_move_little() -> None:
    before = voicing(parse_chord("Dm9"), 5, 62, 14)
    after = voicing(parse_chord("G7"), 5, 62, 14, before)
    assert sum(min(abs(note - other) for other in before) for note in after) <= 10


def test_there_is_no_voicing_without_a_chord() -> None:
    assert voicing(parse_chord("N"), 5, 62) == ()


@given(st.integers(0, 10_000), st.integers(0, 3))
def test_a_doubled_line_adds_softer_octaves_within_the_bar(seed: int, place: int) -> None:
    phrase = keys.shape(sampled(seed), CHORDS, texture("comp", seed))
    line, plain = top_line(phrase.notes), phrase.bar(place, 0)
    doubled = keys.with_octaves(plain, line)
    interval = 12 if max(note.note for note in line) <= 76 else -12
    tops = {(note.start, note.note + interval): note for note in top_line(plain)}
    struck = {(note.start, note.note) for note in plain}
    added = [note for note in doubled if (note.start, note.note) not in struck]
    assert {(note.start, note.note) for note in doubled} == struck | set(tops)
    assert all(note.velocity <= tops[note.start, note.note].velocity and note.end <= 480 for note in added)
