from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from radio.audio.limiter import Limiter
from radio.types import GRID, MIX_BLOCK, SAMPLE_RATE
from tests.audio.pieces import in_blocks

CEILING = 10 ** (-1 / 20)
GENERATOR = np.random.default_rng(4)
LOUD = GENERATOR.standard_normal((2, 12_000)) * 3 * np.repeat(GENERATOR.random(30) ** 4, 400)


def limited(x: np.ndarray, limiter: Limiter | None = None) -> np.ndarray:
    return in_blocks((limiter or Limiter(-1.0)).process, x)


def true_peak(x: np.ndarray) -> float:
    """Return the true peak in dBTP, computed independently with scipy."""
    return float(20 * np.log10(np.abs(signal.resample_poly(x.astype(np.float64), 8, 1, axis=1)).max()))


def sine(hertz: float, amplitude: float, seconds: float = 1.0) -> np.ndarray:
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    # Fade in and out, because an abrupt start or end adds peaks between samples.
    return (amplitude * np.hanning(len(t)) ** 0.2 * np.sin(2 * np.pi * hertz * t + 0.7))[None].repeat(2, axis=0)


@given(st.lists(st.tuples(st.integers(0, 6_000), st.floats(-50, 50)), max_size=30))
def test_no_sample_exceeds_the_ceiling(impulses: list[tuple[int, float]]) -> None:
    x = np.zeros((2, 6_400))
    for at, height in impulses:
        x[at % 2, at : at + 1 + at % 7] = height
    assert np.abs(limited(x)).max() <= CEILING


@pytest.mark.parametrize("hertz", [40, 997, 6_000, 11_025, 12_000])
def test_peaks_between_samples_stay_below_the_ceiling(hertz: float) -> None:
    out = limited(sine(hertz, 4.0))
    assert true_peak(out) < -1.0


def test_noise_peaks_between_samples_stay_below_the_ceiling() -> None:
    sections = signal.butter(8, 16_000, fs=SAMPLE_RATE, output="sos")
    noise = signal.sosfilt(sections, LOUD * np.hanning(LOUD.shape[1]))
    assert true_peak(limited(noise)) < -1.0


def test_a_quiet_signal_is_only_delayed() -> None:
    x = sine(997, 0.8)
    limiter = Limiter(-1.0)
    out = limited(x, limiter)
    assert np.array_equal(out[:, limiter.latency :], x[:, : -limiter.latency].astype(np.float32))


def test_a_steady_loud_tone_is_limited_to_the_ceiling() -> None:
    out = limited(sine(997, 2.0))
    assert np.abs(out[:, 24_000:]).max() == pytest.approx(CEILING, rel=0.02)


def test_the_gain_recovers_after_a_peak() -> None:
    x = np.full((2, 48_000), 0.5)
    x[:, 1_000] = 5.0
    out = limited(x)
    assert out[:, 1_400:2_400].max() < 0.25
    assert out[:, -1] == pytest.approx(0.5, rel=0.01)
    assert (np.diff(out[0, 1_600:]) >= 0).all()


def test_the_gain_falls_linearly_over_three_grid_blocks_before_a_peak() -> None:
    x = np.full((2, 48_000), 0.25)
    x[:, GRID * 20 + 10] = 2.0
    limiter = Limiter(-1.0)
    gain = limited(x, limiter)[0, limiter.latency :] / 0.25
    lowest = 10 ** (-1.1 / 20) / 2  # the limiter keeps 0.1 dB below the ceiling
    assert limiter.latency == 5 * GRID
    expected = [1, (2 + lowest) / 3, (1 + 2 * lowest) / 3, lowest, lowest]
    assert gain[GRID * 16 : GRID * 21 : GRID] == pytest.approx(expected, abs=0.003)


def test_the_output_does_not_depend_on_block_boundaries() -> None:
    shift = 64 * 17
    later = limited(np.pad(LOUD, ((0, 0), (shift, MIX_BLOCK))))
    whole = limited(np.pad(LOUD, ((0, 0), (0, MIX_BLOCK))))
    assert np.allclose(later[:, shift:], whole[:, : later.shape[1] - shift], atol=1e-6)


def test_a_deep_copy_continues_identically() -> None:
    limiter = Limiter(-1.0)
    limited(LOUD, limiter)
    copy = deepcopy(limiter)
    assert np.array_equal(limited(LOUD, limiter), limited(LOUD, copy))
