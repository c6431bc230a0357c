from __future__ import annotations

from radio.music.events import Note
from radio.music.parts import DRUMS, PIANO
from radio.music.quantize import quantize
from radio.types import TICKS_PER_BEAT


def test_notes_move_to_the_nearest_onset_and_release_of_the_part() -> None:
    assert quantize(PIANO, [(1.01, 1.99, 60, 80), (2.26, 2.49, 64, 70)]) == [
        Note(TICKS_PER_BEAT, 2 * TICKS_PER_BEAT, 60, 80),
        Note(2 * TICKS_PER_BEAT + 30, 2 * TICKS_PER_BEAT + 60, 64, 70),
    ]


def test_a_very_short_note_lasts_an_eighth_of_a_beat() -> None:
    assert quantize(PIANO, [(1.0, 1.01, 60, 80)]) == [Note(TICKS_PER_BEAT, TICKS_PER_BEAT + 15, 60, 80)]
    assert quantize(PIANO, [(1.24, 1.25, 60, 80)]) == [Note(TICKS_PER_BEAT + 30, TICKS_PER_BEAT + 45, 60, 80)]


def test_a_note_without_note_off_lasts_one_tick() -> None:
    assert quantize(DRUMS, [(1.0, 3.0, 36, 80)]) == [Note(TICKS_PER_BEAT, TICKS_PER_BEAT + 1, 36, 80)]


def test_notes_before_beat_0_are_dropped_and_overlaps_removed() -> None:
    notes = quantize(PIANO, [(-1.0, 1.0, 60, 80), (0.0, 2.0, 62, 80), (1.0, 3.0, 62, 70)])
    assert notes == [
        Note(0, TICKS_PER_BEAT, 62, 80),
        Note(TICKS_PER_BEAT, 3 * TICKS_PER_BEAT, 62, 70),
    ]
