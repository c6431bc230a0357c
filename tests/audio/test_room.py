from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from pieces import SIZES, few, in_pieces, rms_db

from radio.audio.room import Room
from radio.types import SAMPLE_RATE

NOISE = np.random.default_rng(5).standard_normal((2, 12_000))


@pytest.mark.parametrize("decay", [0.5, 2.0])
def test_sound_falls_by_60_db_in_the_decay_time(decay: float) -> None:
    x = np.zeros((2, round(3 * SAMPLE_RATE)))
    x[:, :2_400] = NOISE[:, :2_400]
    out = Room(decay).process(x)
    early, late = (out[:, at : at + 4_800] for at in (9_600, 9_600 + round(decay / 2 * SAMPLE_RATE)))
    # Damping takes the treble sooner.
    assert 25 < rms_db(early) - rms_db(late) < 45


def test_left_and_right_differ_but_weigh_the_same() -> None:
    out = Room(1.0).process(np.repeat(NOISE[:1], 2, axis=0))
    assert abs(np.corrcoef(out)[0, 1]) < 0.3
    assert abs(rms_db(out[0]) - rms_db(out[1])) < 1.5


@few
@given(sizes=SIZES)
def test_whole_equals_split(sizes: list[int]) -> None:
    split = Room(1.0)
    parts = in_pieces(lambda x, _: split.process(x), NOISE, sizes, axis=1)
    assert np.array_equal(parts, Room(1.0).process(NOISE))
