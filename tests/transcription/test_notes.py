"""Notes from activations that are written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from radio.transcription.network import FRAME, LOWEST, Activations
from radio.transcription.notes import find_notes


def activations(frames: int = 200) -> Activations:
    return Activations(np.zeros((frames, 88), np.float32), np.zeros((frames, 88), np.float32))


def strike(heard: Activations, start: int, end: int, note: int, *, sure: float = 0.9, begins: float = 0.9) -> None:
    heard.sounding[start:end, note - LOWEST] = sure
    heard.beginning[start, note - LOWEST] = begins


def frames(heard: Activations) -> list[tuple[int, int, int]]:
    return [(round(note.start / FRAME), round(note.end / FRAME), note.note) for note in find_notes(heard)]


def test_notes_begin_at_onsets_and_end_with_their_sound() -> None:
    heard = activations()
    strike(heard, 10, 60, 60)
    strike(heard, 30, 50, 64)
    strike(heard, 60, 90, 60)
    assert frames(heard) == [(10, 60, 60), (30, 50, 64), (60, 90, 60)]
    assert [note.strength for note in find_notes(heard)] == pytest.approx([0.9] * 3)


def test_short_gaps_do_not_end_a_note_and_long_ones_do() -> None:
    heard = activations()
    strike(heard, 10, 100, 60, sure=0.35)
    heard.sounding[40:48, 60 - LOWEST] = 0.25
    assert frames(heard) == [(10, 100, 60)]
    heard.sounding[40:60, 60 - LOWEST] = 0.25
    assert frames(heard) == [(10, 40, 60), (60, 100, 60)]


def test_blips_and_neighbors_that_sound_along_are_no_notes() -> None:
    heard = activations()
    strike(heard, 10, 60, 60)
    heard.sounding[12:55, 61 - LOWEST] = 0.4
    strike(heard, 100, 106, 70)
    assert frames(heard) == [(10, 60, 60)]


def test_a_note_that_fades_in_is_heard_without_an_onset() -> None:
    heard = activations()
    heard.sounding[50:90, 67 - LOWEST] = 0.6
    assert [note for _, _, note in frames(heard)] == [67]


def test_weak_onsets_within_a_held_note_are_vibrato() -> None:
    heard = activations()
    strike(heard, 10, 100, 60)
    heard.beginning[50, 60 - LOWEST] = 0.6
    assert frames(heard) == [(10, 100, 60)]
    heard.beginning[50, 60 - LOWEST] = 0.9
    assert frames(heard) == [(10, 50, 60), (50, 100, 60)]


def test_short_weak_notes_below_their_overtone_are_left_out() -> None:
    heard = activations()
    strike(heard, 10, 100, 64)
    strike(heard, 10, 30, 52, sure=0.5, begins=0.6)
    strike(heard, 10, 30, 50, sure=0.5, begins=0.6)
    strike(heard, 110, 190, 64)
    strike(heard, 110, 190, 52, sure=0.5, begins=0.6)
    assert frames(heard) == [(10, 30, 50), (10, 100, 64), (110, 190, 52), (110, 190, 64)]


def test_silence_has_no_notes() -> None:
    assert find_notes(activations()) == []
    assert find_notes(activations(0)) == []
