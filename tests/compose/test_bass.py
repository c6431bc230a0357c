from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from radio.compose.bass import LOWEST, root_note, write_bass
from radio.music.chords import Chord, parse_chord
from radio.types import TICKS_PER_BAR

ROOTS = st.integers(0, 11).map(lambda root: Chord(root, "min7"))
KICKS = st.lists(st.frozensets(st.integers(0, 31).map(lambda place: place * 15), max_size=8), min_size=1, max_size=2)
STYLES = st.sampled_from(["hiphop", "soul", "jazz"])


@given(st.lists(ROOTS, min_size=4, max_size=4), KICKS, STYLES, st.integers(0, 1_000))
def test_the_line_is_one_note_at_a_time_within_its_bars_and_range(
    roots: list[Chord], kicks: list[frozenset[int]], style: str, seed: int
) -> None:
    chords = [chord for chord in roots for _ in range(4)]
    line = write_bass(chords, 4, kicks, style, Random(seed))
    assert line.notes[0].start == 0
    assert line.notes[0].note % 12 == root_note(roots[0]) % 12
    for note, following in pairwise(line.notes):
        assert note.end <= following.start
    assert all(0 <= note.start < note.end <= 4 * TICKS_PER_BAR for note in line.notes)
    assert all(LOWEST - 2 <= note.note < LOWEST + 26 for note in line.notes)


@given(KICKS, st.integers(0, 1_000))
def test_outside_walking_styles_notes_stand_on_kicks_and_chords(kicks: list[frozenset[int]], seed: int) -> None:
    chords = [parse_chord("Dm7")] * 4 + [parse_chord("G7")] * 4
    for note in write_bass(chords, 2, kicks, "hiphop", Random(seed)).notes:
        bar, place = divmod(note.start, TICKS_PER_BAR)
        assert place == 0 or place in kicks[bar % len(kicks)]


def test_a_walking_line_has_a_note_on_every_beat() -> None:
    chords = [parse_chord(name) for name in ("Dm7", "G7", "Cmaj7", "Am7") for _ in range(4)]
    line = write_bass(chords, 4, [frozenset()], "jazz", Random(1))
    assert [note.start for note in line.notes] == list(range(0, 4 * TICKS_PER_BAR, 120))
    roots = [note.note % 12 for note in line.notes[::4]]
    assert roots == [2, 7, 0, 9]


def test_no_chord_has_no_bass() -> None:
    assert write_bass([parse_chord("N")] * 4, 1, [frozenset({0})], "hiphop", Random(1)).notes == ()
