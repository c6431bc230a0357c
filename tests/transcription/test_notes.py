"""Notes found in activations that are written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from radio.transcription.network import FRAME, LOWEST, Activations
from radio.transcription.notes import find_notes


def activations(frames: int = 200) -> Activations:
    return Activations(np.zeros((frames, 88), np.float32), np.zeros((frames, 88), np.float32))


def strike(output: Activations, start: int, end: int, note: int, *, sure: float = 0.9, begins: float = 0.9) -> None:
    output.sounding[start:end, note - LOWEST] = sure
    output.beginning[start, note - LOWEST] = begins


def frames(output: Activations) -> list[tuple[int, int, int]]:
    return [(round(note.start / FRAME), round(note.end / FRAME), note.note) for note in find_notes(output)]


def test_notes_begin_at_onsets_and_end_with_their_sound() -> None:
    output = activations()
    strike(output, 10, 60, 60)
    strike(output, 30, 50, 64)
    strike(output, 60, 90, 60)
    assert frames(output) == [(10, 60, 60), (30, 50, 64), (60, 90, 60)]
    assert [note.strength for note in find_notes(output)] == pytest.approx([0.9] * 3)


def test_short_gaps_do_not_end_a_note_and_long_ones_do() -> None:
    output = activations()
    strike(output, 10, 100, 60, sure=0.35)
    output.sounding[40:48, 60 - LOWEST] = 0.25
    assert frames(output) == [(10, 100, 60)]
    output.sounding[40:60, 60 - LOWEST] = 0.25
    assert frames(output) == [(10, 40, 60), (60, 100, 60)]


def test_blips_and_neighbors_that_resonate_are_no_notes() -> None:
    output = activations()
    strike(output, 10, 60, 60)
    output.sounding[12:55, 61 - LOWEST] = 0.4
    strike(output, 100, 106, 70)
    assert frames(output) == [(10, 60, 60)]


def test_a_note_that_fades_in_is_heard_without_an_onset() -> None:
    output = activations()
    output.sounding[50:90, 67 - LOWEST] = 0.6
    assert [note for _, _, note in frames(output)] == [67]


def test_weak_onsets_within_a_held_note_are_vibrato() -> None:
    output = activations()
    strike(output, 10, 100, 60)
    output.beginning[50, 60 - LOWEST] = 0.6
    assert frames(output) == [(10, 100, 60)]
    output.beginning[50, 60 - LOWEST] = 0.9
    assert frames(output) == [(10, 50, 60), (50, 100, 60)]


def test_short_weak_notes_below_their_overtone_are_left_out() -> None:
    output = activations()
    strike(output, 10, 100, 64)
    strike(output, 10, 30, 52, sure=0.5, begins=0.6)
    strike(output, 10, 30, 50, sure=0.5, begins=0.6)
    strike(output, 110, 190, 64)
    strike(output, 110, 190, 52, sure=0.5, begins=0.6)
    assert frames(output) == [(10, 30, 50), (10, 100, 64), (110, 190, 52), (110, 190, 64)]


def test_silence_has_no_notes() -> None:
    assert find_notes(activations()) == []
    assert find_notes(activations(0)) == []
