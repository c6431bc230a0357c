from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from radio.audio.limiter import Limiter
from radio.types import MIX_BLOCK, SAMPLE_RATE
from tests.audio.pieces import in_blocks

CEILING = 10 ** (-1 / 20)
GENERATOR = np.random.default_rng(4)
LOUD = GENERATOR.standard_normal((2, 12_000)) * 3 * np.repeat(GENERATOR.random(30) ** 4, 400)


def limited(x: np.ndarray, limiter: Limiter | None = None) -> np.ndarray:
    return in_blocks((limiter or Limiter(-1.0)).process, x)


def true_peak(x: np.ndarray) -> float:
    """In dBTP, by scipy's interpolation rather than ours."""
    return float(20 * np.log10(np.abs(signal.resample_poly(x.astype(np.float64), 8, 1, axis=1)).max()))


def sine(hertz: float, amplitude: float, seconds: float = 1.0) -> np.ndarray:
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    # Faded in and out: a cut would have peaks of its own between the samples.
    return (amplitude * np.hanning(len(t)) ** 0.2 * np.sin(2 * np.pi * hertz * t + 0.7))[None].repeat(2, axis=0)


@given(st.lists(st.tuples(st.integers(0, 6_000), st.floats(-50, 50)), max_size=30))
def test_nothing_passes_the_ceiling(impulses: list[tuple[int, float]]) -> None:
    x = np.zeros((2, 6_400))
    for at, height in impulses:
        x[at % 2, at : at + 1 + at % 7] = height
    assert np.abs(limited(x)).max() <= CEILING


@pytest.mark.parametrize("hertz", [40, 997, 6_000, 11_025, 12_000])
def test_peaks_between_samples_are_held_too(hertz: float) -> None:
    out = limited(sine(hertz, 4.0))
    assert true_peak(out) < -1.0


def test_peaks_of_noise_between_samples_are_held_too() -> None:
    sections = signal.butter(8, 16_000, fs=SAMPLE_RATE, output="sos")
    noise = signal.sosfilt(sections, LOUD * np.hanning(LOUD.shape[1]))
    assert true_peak(limited(noise)) < -1.0


def test_quiet_sound_is_only_delayed() -> None:
    x = sine(997, 0.8)
    limiter = Limiter(-1.0)
    out = limited(x, limiter)
    assert np.array_equal(out[:, limiter.latency :], x[:, : -limiter.latency].astype(np.float32))


def test_a_steady_loud_tone_comes_out_at_the_ceiling() -> None:
    out = limited(sine(997, 2.0))
    assert np.abs(out[:, 24_000:]).max() == pytest.approx(CEILING, rel=0.02)


def test_it_lets_go_after_the_peak() -> None:
    x = np.full((2, 48_000), 0.5)
    x[:, 1_000] = 5.0
    out = limited(x)
    assert out[:, 1_400:2_400].max() < 0.25
    assert out[:, -1] == pytest.approx(0.5, rel=0.01)
    assert (np.diff(out[0, 1_600:]) >= 0).all()


def test_where_blocks_begin_changes_nothing() -> None:
    shift = 64 * 17
    later = limited(np.pad(LOUD, ((0, 0), (shift, MIX_BLOCK))))
    whole = limited(np.pad(LOUD, ((0, 0), (0, MIX_BLOCK))))
    assert np.allclose(later[:, shift:], whole[:, : later.shape[1] - shift], atol=1e-6)


def test_a_copy_goes_on_identically() -> None:
    limiter = Limiter(-1.0)
    limited(LOUD, limiter)
    copy = deepcopy(limiter)
    assert np.array_equal(limited(LOUD, limiter), limited(LOUD, copy))
