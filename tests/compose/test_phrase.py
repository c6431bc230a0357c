from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from radio.compose.phrase import Phrase, phrase_from_events, phrase_of, top_line
from radio.music.events import Note, NoteEvent
from radio.types import TICKS_PER_BAR

NOTES = st.lists(
    st.builds(
        lambda start, length, note: Note(start * 30, start * 30 + length * 15, note, 64),
        st.integers(0, 63),
        st.integers(1, 60),
        st.integers(48, 80),
    ),
    max_size=20,
)


@given(NOTES, st.integers(0, 9))
def test_a_phrase_is_the_sum_of_its_bars_wherever_they_are_placed(notes: list[Note], bar: int) -> None:
    phrase = phrase_of(notes, 4)
    assert all(0 <= note.start < note.end <= phrase.end for note in phrase.notes)
    line = bar * TICKS_PER_BAR
    placed = [note for place in range(4) for note in phrase.bar(place, line + place * TICKS_PER_BAR)]
    moved = [Note(note.start - line, note.end - line, note.note, note.velocity) for note in placed]
    assert sorted(moved) == list(phrase.notes)
    assert phrase.bar(bar, 0) == phrase.bar(bar % 4, 0), "a phrase wraps around"


def test_notes_that_sound_at_the_end_are_cut_there() -> None:
    events = [NoteEvent(480, 60, 80), NoteEvent(500, 64, 70), NoteEvent(600, 60, 0)]
    assert phrase_from_events(events, 480, 1) == Phrase(1, (Note(0, 120, 60, 80), Note(20, 480, 64, 70)))


def test_the_top_line_is_the_highest_note_of_each_onset() -> None:
    notes = [Note(0, 60, 60, 80), Note(0, 60, 67, 80), Note(60, 90, 62, 80)]
    assert [note.note for note in top_line(notes)] == [67, 62]
