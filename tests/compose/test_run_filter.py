from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radio.compose.run_filter import NOTHING_KNOWN, RunFilter
from radio.compose.run_index import Index, Spread
from radio.errors import ModelError
from radio.music.parts import PIANO
from tests.compose.test_run_index import moved, tune

INDEX = Index.of(PIANO, [tune(seed) for seed in range(20)])


def test_no_copied_run_is_missed() -> None:
    known = RunFilter.of(INDEX)
    for seed in range(5):
        copied = moved(tune(seed)[10:40], semitones=3, ticks=480)
        assert known.longest(copied) >= INDEX.longest(copied) >= 28


def test_original_music_has_no_long_run() -> None:
    known = RunFilter.of(INDEX)
    assert max(known.longest(tune(seed)) for seed in range(50, 80)) <= 8
    assert NOTHING_KNOWN.longest(tune(1)) == 0


def test_only_runs_longer_than_those_of_human_music_count() -> None:
    known = RunFilter.of(Index(PIANO, INDEX.hashes, Spread(100, 0, 7, 12, 31)))
    assert known.excess(tune(3)[:10]) == 0
    assert known.excess(tune(3)[:30]) == 18


def test_a_filter_reads_back_as_written_and_other_files_are_refused(tmp_path: Path) -> None:
    known = RunFilter.of(INDEX)
    known.write(tmp_path / "a.safetensors")
    again = RunFilter.read(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(again.words, known.words)
    assert (again.part, again.usual) == (PIANO, 0)
    INDEX.write(tmp_path / "b.safetensors")
    with pytest.raises(ModelError, match="not a filter of training music"):
        RunFilter.read(tmp_path / "b.safetensors")
