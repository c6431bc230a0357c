"""Events of a band: notes on the grid survive a round trip through tokens, and any tokens can be decoded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from radio.music.band_events import (
    DRUMS,
    INSTRUMENTS,
    BandNote,
    decode,
    encode,
    instrument_of,
    loudness,
    on_grid,
)
from radio.music.vocab import BAND_BASE, BAND_DRUMS, BAND_END, BAND_NO_DRUMS, BAND_SIZE, BAND_START, NAMES, TABLE_SIZE

NOTES = st.lists(
    st.tuples(
        st.integers(0, 255),
        st.integers(1, 128),
        st.integers(0, len(INSTRUMENTS) - 1),
        st.integers(0, 127),
        st.integers(0, 7).map(loudness),
    ),
    max_size=60,
)


def placed(drawn: list[tuple[int, int, int, int, int]]) -> list[BandNote]:
    notes, now = [], 0
    for number, (wait, *rest) in enumerate(drawn):
        now += wait if number else 0
        notes.append(BandNote(now, *rest))
    return notes


@given(NOTES)
def test_notes_on_the_grid_survive_a_round_trip_through_tokens(drawn: list[tuple[int, int, int, int, int]]) -> None:
    notes = placed(drawn)
    tokens = encode(notes)
    assert sorted(decode(tokens)) == sorted(notes)
    assert encode(decode(tokens)) == tokens
    assert len(tokens) == 2 + 3 * len(notes)
    assert all(BAND_BASE <= token < BAND_END for token in tokens)
    assert tokens[0] == BAND_START
    assert tokens[1] == (BAND_DRUMS if any(note.instrument == DRUMS for note in notes) else BAND_NO_DRUMS)


@given(st.lists(st.integers(0, TABLE_SIZE - 1), max_size=100))
def test_any_tokens_can_be_decoded(tokens: list[int]) -> None:
    notes = decode(tokens)
    assert all(1 <= note.length <= 128 and 0 <= note.note < 128 for note in notes)
    assert [note.start for note in notes] == sorted(note.start for note in notes)


@given(st.floats(0, 30), st.floats(0, 40), st.integers(1, 127))
def test_notes_off_the_grid_move_by_half_a_step_at_most(start: float, length: float, velocity: int) -> None:
    note = on_grid(start, start + length, 0, 60, velocity)
    assert abs(note.start / 8 - start) <= 1 / 16
    assert abs(note.velocity - velocity) <= 8
    assert note.length == min(max(round(length * 8), 1), 128) or abs(note.length / 8 - length) < 1 / 15
    assert decode(encode([note])) == [note._replace(start=0)]


def test_there_are_3088_ids_and_each_has_a_name() -> None:
    assert BAND_SIZE == BAND_END - BAND_BASE == 3088
    assert all(token in NAMES for token in range(BAND_BASE, BAND_END))


def test_instruments_represent_their_own_programs() -> None:
    programs = (0, 24, 33, 48, 42, 46, 56, 66, 73, 0, 52, 16)
    for number, (name, program) in enumerate(zip(INSTRUMENTS, programs, strict=True)):
        assert instrument_of(program, 9 if name == "drums" else 0) == number
    assert {instrument_of(program, 3) for program in range(128)} == set(range(len(INSTRUMENTS))) - {DRUMS}
    assert INSTRUMENTS[instrument_of(4, 0)] == "piano"
    assert INSTRUMENTS[instrument_of(33, 1)] == "bass"
