from __future__ import annotations

import numpy as np
from hypothesis import given
from pieces import SIZES, few, in_pieces

from radio.audio.grit import Grit

RAMP = np.stack((np.linspace(-1, 1, 9_000), np.linspace(1, -1, 9_000)))


def test_bits_are_the_number_of_steps() -> None:
    out = Grit(6, 48_000).process(RAMP, 0)
    assert len(np.unique(out)) == 2**6 + 1
    assert np.abs(out - RAMP).max() <= 2**-6 + 1e-12


def test_samples_are_held_at_the_rate() -> None:
    out = Grit(24, 12_000).process(RAMP, 0)
    assert np.allclose(out, RAMP[:, np.arange(9_000) // 4 * 4], atol=2**-23)


def test_full_rate_and_24_bits_are_clean() -> None:
    assert np.allclose(Grit(24, 48_000).process(RAMP, 0), RAMP, atol=2**-23)


@few
@given(sizes=SIZES)
def test_whole_equals_split(sizes: list[int]) -> None:
    split = Grit(12, 26_040)
    parts = in_pieces(split.process, RAMP, sizes, axis=1)
    assert np.array_equal(parts, Grit(12, 26_040).process(RAMP, 0))
