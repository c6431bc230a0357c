from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from scipy import signal

from radio.audio.tape import Tape, saturate
from radio.types import GRID, MIX_BLOCK, SAMPLE_RATE
from tests.audio.pieces import in_blocks, rms_db

NOISE = np.random.default_rng(3).standard_normal((2, 12_000))


def played(tape: Tape, x: np.ndarray, depth: float) -> np.ndarray:
    return in_blocks(lambda block: tape.process(block, depth), x)


def test_saturation_passes_quiet_signals_and_limits_loud_ones() -> None:
    x = np.linspace(-4, 4, 2_001)[None].repeat(2, axis=0)
    y = saturate(x, 2.0)
    assert np.abs(y).max() <= 1 / 2 + 1e-15
    assert (np.diff(y) >= 0).all()
    assert np.allclose(y, -y[:, ::-1])
    quiet = x * 1e-3
    assert np.allclose(saturate(quiet, 2.0), quiet, rtol=1e-4, atol=1e-9)
    assert np.allclose(saturate(x, 1.0), np.tanh(x), atol=0.025)


def test_a_tape_of_zero_depth_is_a_pure_delay() -> None:
    tape = Tape(12, 4)
    out = played(tape, NOISE, 0.0)
    assert not out[:, : tape.latency].any()
    assert np.array_equal(out[:, tape.latency :], NOISE[:, : -tape.latency].astype(np.float32))


def bend_cents(depth: float, hertz: float = 1_000.0, seconds: int = 12) -> np.ndarray:
    """Return the deviation of the output's pitch from `hertz` in cents, every 10 ms."""
    tape = Tape(12, 4)
    t = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    out = played(tape, np.sin(2 * np.pi * hertz * t)[None].repeat(2, axis=0), depth)[0, 3 * SAMPLE_RATE :]
    phase = np.unwrap(np.angle(signal.hilbert(out)))[4_800:-4_800:480]
    return np.asarray(1200 * np.log2(np.diff(phase) * SAMPLE_RATE / 480 / (2 * np.pi * hertz)))


@pytest.mark.parametrize("depth", [0.3, 1.0])
def test_the_pitch_bends_by_the_requested_depth(depth: float) -> None:
    cents = bend_cents(depth)
    assert 0.6 * depth * 16 < np.abs(cents).max() <= depth * 16 * 1.02
    assert abs(cents.mean()) < depth * 16 / 8


def test_values_between_frames_are_interpolated() -> None:
    """A delayed sine equals the sine at the delayed time, within the error of the quintic."""
    tape, hertz, frames = Tape(12, 4), 400.0, 40 * MIX_BLOCK
    out = played(tape, np.sin(2 * np.pi * hertz * np.arange(frames) / SAMPLE_RATE)[None].repeat(2, axis=0), 1.0)
    lines = np.arange(frames // GRID + 1)
    depth = np.minimum(lines * GRID / SAMPLE_RATE * 0.5, 1)
    swings = tape._swings * np.sin(lines[:, None] * tape._steps)
    delay = np.interp(np.arange(frames), lines * GRID, tape.latency + depth * swings.sum(axis=1))
    expected = np.sin(2 * np.pi * hertz * (np.arange(frames) - delay) / SAMPLE_RATE)
    assert rms_db((out - expected)[:, MIX_BLOCK:]) < -90


def test_a_deep_copy_continues_identically() -> None:
    tape = Tape(12, 4)
    played(tape, NOISE, 1.0)
    copy = deepcopy(tape)
    assert np.array_equal(played(tape, NOISE, 0.5), played(copy, NOISE, 0.5))


def test_the_largest_bend_stays_within_the_delay_line() -> None:
    tape = Tape(50, 20)
    x = np.ones((2, 30 * SAMPLE_RATE))
    assert np.allclose(played(tape, x, 1.0)[:, 2 * tape.latency :], 1, atol=1e-6)
