from __future__ import annotations

import numpy as np
import pytest

from radio.audio.duck import Duck
from radio.types import GRID, MIX_BLOCK


def gains(kicks: list[int], blocks: int = 48_000 // MIX_BLOCK, hold: float = 0.0) -> np.ndarray:
    duck = Duck(3.0, 0.12, hold)
    starts = range(0, blocks * MIX_BLOCK, MIX_BLOCK)
    parts = [duck.draw([kick - start for kick in kicks if 0 <= kick - start < MIX_BLOCK]) for start in starts]
    return np.concatenate([np.broadcast_to(part, (MIX_BLOCK,)) for part in parts])


def test_the_gain_is_unity_without_a_kick() -> None:
    assert (gains([]) == 1).all()


def test_a_kick_lowers_the_gain_by_the_depth_and_releases_it() -> None:
    gain = gains([GRID * 100])
    assert (gain[: GRID * 100 + 1] == 1).all()
    assert gain[GRID * 104] == pytest.approx(10 ** (-3 / 20))
    assert gain.min() == gain[GRID * 104]
    assert gain[GRID * 104 + 5_760] == pytest.approx(10 ** (-3 * np.exp(-1) / 20), rel=1e-3)
    assert gain[-1] == pytest.approx(1, abs=0.003)
    assert np.abs(np.diff(gain)).max() < 0.002


def test_a_hold_keeps_the_gain_down_and_delays_the_same_recovery() -> None:
    plain, held = gains([GRID * 100]), gains([GRID * 100], hold=0.08)
    frames = round(0.08 * 48_000)
    assert held[GRID * 104 : GRID * 104 + frames] == pytest.approx(10 ** (-3 / 20))
    assert np.allclose(held[frames:][GRID * 104 :], plain[GRID * 104 : -frames])
    assert np.allclose(gains([0, 24_000], hold=0.08)[24_000 + GRID * 4 :].min(), 10 ** (-3 / 20))


def test_the_gain_returns_to_exactly_unity() -> None:
    assert (gains([0], blocks=160_000 // MIX_BLOCK)[-MIX_BLOCK:] == 1).all()


@pytest.mark.parametrize("line", [100, MIX_BLOCK // GRID, 2 * MIX_BLOCK // GRID])
def test_a_kick_off_the_grid_takes_effect_at_the_next_grid_line(line: int) -> None:
    assert np.array_equal(gains([GRID * (line - 1) + 1]), gains([GRID * line]))


@pytest.mark.parametrize("line", [55, 58, 59, 60])
def test_a_dip_continues_across_blocks(line: int) -> None:
    early, late = gains([GRID * 10]), gains([GRID * line])
    shift = GRID * (line - 10)
    assert np.allclose(late[shift:], early[:-shift])
