from __future__ import annotations

from radio.compose.originality import Index
from radio.music.events import Note
from radio.music.parts import DRUMS, PIANO
from radio.types import TICKS_PER_BAR
from tests.compose.test_originality import moved, tune
from train.metrics.passage import Passage
from train.originality import PASSAGE_BARS, Runs, runs, table

LENGTH = PASSAGE_BARS * TICKS_PER_BAR


def test_silent_passages_are_not_judged() -> None:
    notes = [Note(0, 60, 60, 80), Note(2 * LENGTH, 2 * LENGTH + 60, 60, 80), Note(3 * LENGTH, 3 * LENGTH + 60, 60, 80)]
    found = runs("mine", Index.of([], drums=False), [Passage(notes, 3 * PASSAGE_BARS + 1)], PIANO)
    assert found.lengths == [0, 0], "the second holds nothing, the fourth is not whole"


def test_a_copied_passage_stands_out_among_others() -> None:
    own = [Passage(tune(seed, 60), PASSAGE_BARS) for seed in range(50, 70)]
    copied = Passage(moved(tune(3, 60), semitones=2), PASSAGE_BARS)
    index = Index.of([tune(seed, 60) for seed in range(10)], drums=False)
    found = runs("mixed", index, [*own, copied], PIANO)
    assert sum(length > 0 for length in found.lengths) == 1
    assert found.quantile(1.0) == len([note for note in tune(3, 60) if note.start < LENGTH])
    assert found.quantile(0.5) == 0
    assert not any(runs("drums", index, own, DRUMS).lengths)


def test_the_table_tells_the_distribution() -> None:
    assert table([Runs("mine", [0] * 50 + [10] * 50)]).splitlines()[-1] == "| mine | 100 | 5 | 10 | 10 | 10 |"
