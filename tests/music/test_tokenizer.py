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


def test_a_bar_is_written_as_the_design_says() -> None:
    notes = [Note(0, 120, 60, 113), Note(0, 60, 64, 59), Note(150, 210, 60, 59)]
    marks = [Mark(0, IDS["<b1>"]), Mark(120, IDS["<b2>"])]
    assert names(encode(notes, marks, end=240)) == [
        "<b1>", "3c:e", "40:9", "t60", "40:0", "t60", "<b2>", "3c:0", "t30", "3c:9", "t60", "3c:0", "t30",
    ]  # fmt: skip


def test_simultaneous_notes_carry_no_wait_and_long_gaps_several() -> None:
    assert names(encode([Note(300, 310, 1, 127), Note(300, 310, 2, 127)])) == [
        "t125", "t125", "t50", "1:f", "2:f", "t10", "1:0", "2:0",
    ]  # fmt: skip


@given(NOTES)
def test_onsets_ends_and_velocity_bins_survive_a_round_trip(notes: list[Note]) -> None:
    expected = remove_overlaps(notes)
    back = events_to_notes(decode(encode(notes)))
    assert [(note.start, note.end, note.note) for note in back] == [
        (note.start, note.end, note.note) for note in expected
    ]
    assert [velocity_to_bin(note.velocity) for note in back] == [velocity_to_bin(note.velocity) for note in expected]


@given(ANY_TOKENS)
def test_any_tokens_at_all_decode_without_a_hanging_or_doubled_note(tokens: list[int]) -> None:
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
def test_whole_split_and_one_by_one_agree(tokens: list[int], cuts: list[int]) -> None:
    whole = decode(tokens)
    decoder = TokenDecoder()
    events: list[NoteEvent] = []
    edges = [0, *sorted(min(cut, len(tokens)) for cut in cuts), len(tokens)]
    for start, end in pairwise(edges):
        for token in tokens[start:end]:
            events += decoder.feed(token)
    assert events + decoder.flush() == whole


def test_drums_are_released_by_a_gate_and_a_second_hit_comes_after_the_release() -> None:
    tokens = encode([Note(0, 1, 36, 100), Note(20, 21, 36, 100), Note(200, 201, 38, 90)], note_offs=False)
    assert [(event.tick, event.note, event.velocity > 0) for event in decode(tokens, hold_limit=DRUM_GATE)] == [
        (0, 36, True), (20, 36, False), (20, 36, True), (50, 36, False), (200, 38, True), (200, 38, False),
    ]  # fmt: skip


def test_controls_and_specials_make_no_sound() -> None:
    silent = [START, 0, 2, IDS["<b1>"], IDS["<r3>"], 2559]
    assert decode(silent) == []
