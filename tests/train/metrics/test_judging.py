from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.judge.signals import noise, tone, write
from train.metrics.judging import TAGS, Judge


def test_tracks_like_the_references_are_nearer_than_others(tmp_path: Path) -> None:
    chord = sum(tone(hertz, -26, 18.0) for hertz in (220, 277, 330))
    write(tmp_path / "chord.wav", np.asarray(chord, np.float32))
    judge = Judge(tmp_path)
    near = judge.figures([judge.score("near", np.asarray(chord, np.float32)[: 16 * 48_000])])
    far = judge.figures([judge.score("far", noise(-20, 16.0))])
    assert near.frechet < 0.2 * far.frechet
    assert far.told_apart == 1
    assert tuple(near.tags) == TAGS
    short = judge.figures([judge.score("short", noise(-20, 4.0))])
    assert np.isnan(short.told_apart)
    assert short.halves == pytest.approx(near.halves)
