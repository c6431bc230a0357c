from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from radio.compose.bass import LOWEST, bass_line, root_note
from radio.compose.plan import BarPlan
from radio.music.chords import Chord, parse_chord
from radio.music.events import NoteEvent
from radio.music.tokenizer import events_to_notes

ROOTS = st.integers(0, 11).map(lambda root: Chord(root, "min7"))
KICKS = st.lists(st.integers(0, 95).map(lambda place: place * 5), max_size=12)


def plan(chord: Chord, density: int = 3) -> BarPlan:
    return BarPlan(5, "A", (chord,) * 4, {"piano": density, "drums": 3}, "hiphop")


@given(ROOTS, ROOTS, KICKS)
def test_the_line_stays_in_its_bar_and_range_one_note_at_a_time(
    chord: Chord, following: Chord, kicks: list[int]
) -> None:
    drums = [NoteEvent(5 * 480 + tick, 36, 90) for tick in sorted(kicks)]
    events = bass_line(plan(chord), following, drums)
    notes = events_to_notes(events)
    assert len(events) == 2 * len(notes)
    assert notes[0].start == 5 * 480
    assert notes[0].note == root_note(chord)
    assert notes[-1].end <= 6 * 480
    for one, other in pairwise(notes):
        assert one.end <= other.start
    assert all(LOWEST - 1 <= note.note < LOWEST + 12 for note in notes)
    assert {note.start - 2400 for note in notes} <= {0, *kicks}


def test_a_kick_at_the_bars_end_leads_into_the_next_chord() -> None:
    drums = [NoteEvent(5 * 480 + 450, 36, 90)]
    line = events_to_notes(bass_line(plan(parse_chord("Dm7")), parse_chord("G7"), drums))
    assert line[-1].note == root_note(parse_chord("G7")) - 1
    same = events_to_notes(bass_line(plan(parse_chord("Dm7")), parse_chord("Dm7"), drums))
    assert same[-1].note == root_note(parse_chord("Dm7"))


def test_a_bar_that_is_to_be_empty_has_no_bass() -> None:
    assert bass_line(plan(parse_chord("Dm7"), density=0), parse_chord("G7"), [NoteEvent(2400, 36, 90)]) == []
