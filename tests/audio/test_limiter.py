from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pieces import SIZES, few, in_pieces

from radio.audio.limiter import Limiter
from radio.audio.loudness import true_peak
from radio.types import SAMPLE_RATE

CEILING = 10 ** (-1 / 20)
GENERATOR = np.random.default_rng(4)
LOUD = GENERATOR.standard_normal((2, 12_000)) * 3 * np.repeat(GENERATOR.random(30) ** 4, 400)


def sine(hertz: float, amplitude: float, seconds: float = 1.0) -> np.ndarray:
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * hertz * t + 0.7))[None].repeat(2, axis=0)


@given(st.lists(st.tuples(st.integers(0, 6_000), st.floats(-50, 50)), max_size=30))
def test_nothing_passes_the_ceiling(impulses: list[tuple[int, float]]) -> None:
    x = np.zeros((2, 6_400))
    for at, height in impulses:
        x[at % 2, at : at + 1 + at % 7] = height
    assert np.abs(Limiter(-1.0).process(x, 0)).max() <= CEILING


@pytest.mark.parametrize("hertz", [40, 997, 6_000, 11_025, 12_000])
def test_peaks_between_samples_are_held_too(hertz: float) -> None:
    out = Limiter(-1.0).process(sine(hertz, 4.0), 0)
    assert true_peak(out.T[4_800:].astype(np.float32)) < -0.9


def test_noise_is_held_between_samples_too() -> None:
    assert true_peak(Limiter(-1.0).process(LOUD, 0).T.astype(np.float32)) < -0.9


def test_quiet_sound_is_only_delayed() -> None:
    x = sine(997, 0.8)
    limiter = Limiter(-1.0)
    out = limiter.process(x, 0)
    assert np.array_equal(out[:, limiter.latency :], x[:, : -limiter.latency])


def test_a_steady_loud_tone_comes_out_at_the_ceiling() -> None:
    out = Limiter(-1.0).process(sine(997, 2.0), 0)
    assert np.abs(out[:, 24_000:]).max() == pytest.approx(CEILING, rel=0.01)


def test_it_lets_go_after_the_peak() -> None:
    x = sine(997, 0.5, 2.0)
    x[:, 1_000] = 5.0
    out = Limiter(-1.0).process(x, 0)
    assert np.abs(out[:, 2_000:4_000]).max() < 0.3
    assert np.abs(out[:, 72_000:]).max() == pytest.approx(0.5, rel=0.01)


@few
@given(sizes=SIZES)
def test_whole_equals_split(sizes: list[int]) -> None:
    split = Limiter(-1.0)
    parts = in_pieces(lambda x, at: split.process(x, at), LOUD, sizes, axis=1)
    assert np.array_equal(parts, Limiter(-1.0).process(LOUD, 0))


def test_a_copy_goes_on_identically() -> None:
    limiter = Limiter(-1.0)
    limiter.process(LOUD, 0)
    copy = deepcopy(limiter)
    expected = limiter.process(LOUD, 12_000)
    assert np.array_equal(copy.process(LOUD, 12_000), expected)
