from __future__ import annotations

from radio.compose.run_index import PASSAGE_BARS, Index
from radio.music.events import Note
from radio.music.parts import DRUMS, PIANO
from radio.types import TICKS_PER_BAR
from tests.compose.test_run_index import moved, tune
from train.metrics.copied_runs import spread
from train.metrics.passage import Passage

LENGTH = PASSAGE_BARS * TICKS_PER_BAR


def test_silent_passages_are_left_out() -> None:
    notes = [Note(0, 60, 60, 80), Note(2 * LENGTH, 2 * LENGTH + 60, 60, 80), Note(3 * LENGTH, 3 * LENGTH + 60, 60, 80)]
    runs = spread(Index.of(PIANO, []), [Passage(notes, 3 * PASSAGE_BARS + 1)])
    assert (runs.passages, runs.longest) == (2, 0), "the second holds nothing, the fourth is not whole"


def test_a_copied_passage_has_the_longest_run() -> None:
    own = [Passage(tune(seed, 60), PASSAGE_BARS) for seed in range(50, 70)]
    copied = Passage(moved(tune(3, 60), semitones=2), PASSAGE_BARS)
    index = Index.of(PIANO, [tune(seed, 60) for seed in range(10)])
    runs = spread(index, [*own, copied])
    assert runs.longest == len([note for note in tune(3, 60) if note.start < LENGTH])
    assert runs.half == runs.nine_in_ten == 0
    assert spread(Index.of(DRUMS, []), own).longest == 0
