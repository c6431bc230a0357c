from __future__ import annotations

import numpy as np
import pytest

from radio.audio.curve import LINES, Curve, Ramp
from radio.types import GRID, MIX_BLOCK, SAMPLE_RATE


def test_a_curve_interpolates_linearly() -> None:
    ends = np.random.default_rng(1).random(2 * LINES)
    curve = Curve(0.5)
    drawn = np.concatenate([curve.draw(ends[:LINES]), curve.draw(ends[LINES:])])
    expected = np.interp(np.arange(2 * MIX_BLOCK), np.arange(2 * LINES + 1) * GRID, [0.5, *ends])
    assert np.allclose(drawn, expected)


def test_a_constant_curve_is_a_single_number() -> None:
    curve = Curve(2.0)
    assert curve.draw([2.0] * LINES) == 2.0
    assert isinstance(curve.draw([3.0] * LINES), np.ndarray)
    assert curve.draw([3.0] * LINES) == 3.0


@pytest.mark.parametrize("target", [-1.0, 0.5, 5.0])
def test_a_ramp_moves_at_its_pace_and_stops_at_the_target(target: float) -> None:
    ramp = Ramp(0.0, pace=6.0)
    drawn = np.concatenate([np.broadcast_to(ramp.draw(target), (MIX_BLOCK,)) for _ in range(SAMPLE_RATE // MIX_BLOCK)])
    step = np.diff(drawn, prepend=0.0)
    assert np.abs(step).max() == pytest.approx(6 / SAMPLE_RATE)
    assert (np.sign(step) * np.sign(target) >= 0).all()
    assert drawn[-1] == target
    assert ramp.draw(target) == target


def test_a_ramp_reaches_a_near_target_exactly_within_one_block() -> None:
    """A muted layer must end at 0, not close to it, because silent layers are not rendered."""
    for value, target in np.random.default_rng(2).random((50, 2)):
        ramp = Ramp(value, pace=12.5)
        ramp.draw(target)
        assert (ramp.value, ramp.draw(target)) == (target, target)


def test_a_ramp_with_a_new_target_for_each_block_never_pauses() -> None:
    ramp = Ramp(0.0, pace=10.0)
    drawn = np.concatenate([ramp.draw(0.02 * block) for block in range(1, 20)])
    assert np.diff(drawn) == pytest.approx(0.02 / MIX_BLOCK)
