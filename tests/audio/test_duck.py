from __future__ import annotations

import numpy as np
import pytest

from radio.audio.duck import Duck
from radio.types import GRID


def gains(kicks: list[int], frames: int = 48_000) -> np.ndarray:
    return np.broadcast_to(Duck(3.0, 0.12).draw(0, frames, kicks), (frames,))


def test_nothing_happens_without_a_kick() -> None:
    assert (gains([]) == 1).all()


def test_a_kick_presses_down_by_the_depth_and_lets_go() -> None:
    gain = gains([GRID * 100])
    assert (gain[: GRID * 100 + 1] == 1).all()
    assert gain[GRID * 104] == pytest.approx(10 ** (-3 / 20))
    assert gain.min() == gain[GRID * 104]
    assert gain[GRID * 104 + 5_760] == pytest.approx(10 ** (-3 * np.exp(-1) / 20), rel=1e-3)
    assert gain[-1] == pytest.approx(1, abs=0.003)
    assert np.abs(np.diff(gain)).max() < 0.002


def test_a_kick_off_the_grid_counts_from_the_next_line() -> None:
    assert np.array_equal(gains([GRID * 99 + 1]), gains([GRID * 100]))
    split = Duck(3.0, 0.12)
    first = split.draw(0, GRID * 99 + 10, [GRID * 99 + 1])
    rest = split.draw(GRID * 99 + 10, 10_000, [])
    joined = np.concatenate((np.broadcast_to(first, (GRID * 99 + 10,)), rest))
    assert np.array_equal(joined, gains([GRID * 100])[: len(joined)])
