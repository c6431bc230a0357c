from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from scipy import signal

from radio.audio.stereo import AutoPan, Chorus
from radio.types import GRID, MIX_BLOCK, SAMPLE_RATE
from tests.audio.pieces import in_blocks, rms_db

NOISE = np.repeat(0.1 * np.random.default_rng(2).standard_normal((1, 4 * SAMPLE_RATE)), 2, axis=0)


def side_over_mid_db(x: np.ndarray) -> float:
    return rms_db(x[0] - x[1]) - rms_db(x[0] + x[1])


def test_the_copies_of_an_impulse_come_about_ten_milliseconds_later_at_their_level() -> None:
    x = np.zeros((2, MIX_BLOCK))
    x[:, 100] = 1.0
    out = in_blocks(Chorus(0.5).process, x)
    assert out[:, 100].tolist() == [1.0, 1.0]
    assert np.abs(out[:, 101:560]).max() == 0
    assert out[:, 560:620].sum(axis=1) == pytest.approx([0.5, 0.5], abs=0.01)


def test_the_chorus_widens_a_mono_sound() -> None:
    assert -17 < side_over_mid_db(in_blocks(Chorus(0.3).process, NOISE)) < -12


def test_the_copies_are_detuned_by_at_most_twelve_cents() -> None:
    t = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 1_000 * t)[None].repeat(2, axis=0)
    copy = (in_blocks(Chorus(1.0).process, tone) - tone)[0, SAMPLE_RATE:]
    phase = np.unwrap(np.angle(signal.hilbert(copy)))[4_800:-4_800:480]
    cents = 1200 * np.log2(np.diff(phase) * SAMPLE_RATE / 480 / (2 * np.pi * 1_000))
    assert 11 < np.abs(cents).max() < 13


def test_auto_pan_moves_the_sound_between_the_sides() -> None:
    out = in_blocks(AutoPan(0.5, 1.0).process, np.ones((2, SAMPLE_RATE)))
    assert out[:, SAMPLE_RATE // 4] == pytest.approx([1.5, 0.5], abs=1e-3)
    assert out[:, SAMPLE_RATE * 3 // 4] == pytest.approx([0.5, 1.5], abs=1e-3)
    assert out.sum(axis=0) == pytest.approx(2.0, abs=1e-5)
    assert np.abs(np.diff(out)).max() < 1e-4


@pytest.mark.parametrize("make", [lambda: Chorus(0.4), lambda: AutoPan(0.4, 5.0)])
def test_only_the_position_determines_the_movement(make: object) -> None:
    start = 10 * MIX_BLOCK
    first, second = make(), make()  # type: ignore[operator]
    whole = in_blocks(first.process, NOISE[:, : 30 * MIX_BLOCK])
    second.seek(start)
    part = in_blocks(second.process, NOISE[:, start : 30 * MIX_BLOCK])
    assert np.array_equal(whole[:, start + MIX_BLOCK :], part[:, MIX_BLOCK:])
    copy = deepcopy(first)
    assert np.array_equal(in_blocks(first.process, NOISE[:, :9_600]), in_blocks(copy.process, NOISE[:, :9_600]))


def test_the_movement_is_on_the_grid() -> None:
    pan = AutoPan(0.4, 5.0)
    out = in_blocks(pan.process, np.ones((2, MIX_BLOCK)))
    assert np.abs(np.diff(out[0, :GRID], 2)).max() < 1e-6
