from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from radio.music.events import Mark, Note, NoteEvent
from radio.music.tokenizer import DRUM_GATE, HOLD_LIMIT, TokenDecoder, decode, encode, events_to_notes, remove_overlaps
from radio.music.vocab import IDS, NAMES, START, TABLE_SIZE, velocity_to_bin

NOTES = st.lists(
    st.builds(
        lambda start, length, note, velocity: Note(start, start + length, note, velocity),
        st.integers(0, 4000),
        st.integers(1, HOLD_LIMIT),
        st.integers(0, 127),
        st.integers(1, 127),
    ),
    max_size=40,
)
ANY_TOKENS = st.lists(st.one_of(st.sampled_from(sorted(NAMES)), st.integers(0, TABLE_SIZE - 1)), max_size=200)


def names(tokens: list[int]) -> list[str]:
    return [NAMES[token] for token in tokens]


def test_a_bar_with_marks_is_encoded_in_order() -> None:
    notes = [Note(0, 120, 60, 113), Note(0, 60, 64, 59), Note(150, 210, 60, 59)]
    marks = [Mark(0, IDS["<b1>"]), Mark(120, IDS["<b2>"])]
    assert names(encode(notes, marks, end=240)) == [
        "<b1>", "3c:e", "40:9", "t60", "40:0", "t60", "<b2>", "3c:0", "t30", "3c:9", "t60", "3c:0", "t30",
    ]  # fmt: skip


def test_simultaneous_notes_have_no_wait_between_them_and_long_gaps_have_several() -> None:
    assert names(encode([Note(300, 310, 1, 127), Note(300, 310, 2, 127)])) == [
        "t125", "t125", "t50", "1:f", "2:f", "t10", "1:0", "2:0",
    ]  # fmt: skip


@given(NOTES)
def test_starts_ends_and_velocity_bins_survive_a_round_trip(notes: list[Note]) -> None:
    expected = remove_overlaps(notes)
    decoded = events_to_notes(decode(encode(notes)))
    assert [(note.start, note.end, note.note) for note in decoded] == [
        (note.start, note.end, note.note) for note in expected
    ]
    assert [velocity_to_bin(note.velocity) for note in decoded] == [velocity_to_bin(note.velocity) for note in expected]


@given(ANY_TOKENS)
def test_any_tokens_decode_without_hanging_or_overlapping_notes(tokens: list[int]) -> None:
    struck: dict[int, int] = {}
    last = 0
    for event in decode(tokens):
        assert event.tick >= last
        last = event.tick
        if event.velocity:
            assert event.note not in struck
            struck[event.note] = event.tick
        else:
            assert event.tick - struck.pop(event.note) <= HOLD_LIMIT
    assert not struck


@given(ANY_TOKENS, st.lists(st.integers(0, 200), max_size=5))
def test_decoding_whole_or_in_parts_gives_the_same_events(tokens: list[int], cuts: list[int]) -> None:
    whole = decode(tokens)
    decoder = TokenDecoder()
    events: list[NoteEvent] = []
    edges = [0, *sorted(min(cut, len(tokens)) for cut in cuts), len(tokens)]
    for start, end in pairwise(edges):
        for token in tokens[start:end]:
            events += decoder.feed(token)
    assert events + decoder.flush() == whole


def test_drum_hits_are_released_by_the_gate_or_the_next_hit() -> None:
    tokens = encode([Note(0, 1, 36, 100), Note(20, 21, 36, 100), Note(200, 201, 38, 90)], note_offs=False)
    assert [(event.tick, event.note, event.velocity > 0) for event in decode(tokens, hold_limit=DRUM_GATE)] == [
        (0, 36, True), (20, 36, False), (20, 36, True), (50, 36, False), (200, 38, True), (200, 38, False),
    ]  # fmt: skip


def test_control_and_special_tokens_cause_no_events() -> None:
    silent = [START, 0, 2, IDS["<b1>"], IDS["<r3>"], 2559]
    assert decode(silent) == []
