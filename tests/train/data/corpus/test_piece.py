from __future__ import annotations

import pytest

from radio.music.events import Note
from radio.music.parts import PIANO
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT
from train.data.corpus.piece import Piece, select_bars, trim


def piece(bars_with_notes: list[int], bars: int) -> Piece:
    notes = [Note(bar * TICKS_PER_BAR, bar * TICKS_PER_BAR + TICKS_PER_BEAT, 60, 80) for bar in bars_with_notes]
    return Piece("test", PIANO, "train", bars, notes)


def starts(result: Piece | None) -> list[int]:
    assert result is not None
    return [note.start // TICKS_PER_BAR for note in result.notes]


@pytest.mark.parametrize(
    ("bars_with_notes", "bars", "expected"),
    [
        ([0, 1], 2, [0, 1]),
        ([2, 3], 5, [0, 1]),  # empty bars at both ends are removed
        ([0, 2], 3, [0, 2]),  # a single empty bar is kept
        ([0, 5], 6, [0, 2]),  # only the first of several is kept
    ],
)
def test_trimming_keeps_the_first_of_several_empty_bars(
    bars_with_notes: list[int], bars: int, expected: list[int]
) -> None:
    trimmed = trim(piece(bars_with_notes, bars))
    assert starts(trimmed) == expected
    assert trimmed is not None
    assert trimmed.bars == expected[-1] + 1


def test_a_piece_without_notes_is_trimmed_to_nothing() -> None:
    assert trim(piece([], 4)) is None


def test_a_note_that_extends_into_a_dropped_bar_ends_there() -> None:
    long = Piece("test", PIANO, "train", 3, [Note(0, 3 * TICKS_PER_BAR, 60, 80)])
    assert select_bars(long, [0, 2]).notes == [Note(0, TICKS_PER_BAR, 60, 80)]
    assert select_bars(long, [0, 1]).notes == [Note(0, 2 * TICKS_PER_BAR, 60, 80)]
