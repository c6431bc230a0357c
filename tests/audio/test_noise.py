from __future__ import annotations

from copy import deepcopy
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from scipy import signal

from radio.audio.noise import CHUNK, GRAIN, Noise, band, color, combine, ring, shape
from radio.audio.rain import Rain
from radio.audio.vinyl import Vinyl
from radio.types import SAMPLE_RATE
from tests.audio.pieces import SIZES, bounds, few, rms_db

TEXTURES = pytest.mark.parametrize("texture", [Vinyl, Rain])
FRAMES = 60_000


@pytest.fixture(scope="module")
def vinyl() -> np.ndarray:
    return Vinyl(11).render(60 * SAMPLE_RATE)


@TEXTURES
@few
@given(sizes=SIZES)
def test_samples_do_not_depend_on_block_sizes(texture: type[Noise], sizes: list[int]) -> None:
    split = texture(5)
    split.position = CHUNK - 3_000
    whole = deepcopy(split).render(FRAMES)
    cuts = bounds(sizes, FRAMES)
    assert np.array_equal(np.concatenate([split.render(b - a) for a, b in pairwise(cuts)]), whole)
    assert whole.dtype == np.float32


@TEXTURES
def test_any_position_can_be_rendered_directly(texture: type[Noise]) -> None:
    late = texture(5)
    late.position = 3 * CHUNK + 500
    assert np.array_equal(late.render(4_800), texture(5).render(4 * CHUNK)[3 * CHUNK + 500 :][:4_800])


@TEXTURES
def test_a_deep_copy_continues_identically(texture: type[Noise]) -> None:
    noise = texture(5)
    noise.render(CHUNK + 100)
    copy = deepcopy(noise)
    assert np.array_equal(noise.render(CHUNK), copy.render(CHUNK))


@TEXTURES
def test_seeds_and_chunks_are_uncorrelated(texture: type[Noise]) -> None:
    blocks = [texture(seed).render(4 * CHUNK)[:, 0] for seed in (1, 2, -1)]
    chunks = [block[CHUNK * i : CHUNK * (i + 1)] for block in blocks for i in range(4)]
    correlation = np.corrcoef(np.array(chunks)) - np.eye(len(chunks))
    assert np.abs(correlation).max() < 0.1


@TEXTURES
def test_the_level_is_constant_across_chunks(texture: type[Noise]) -> None:
    block = texture(3).render(160 * CHUNK)
    # The median is the level of the noise without ticks and drops.
    by_place = np.median(np.abs(block[:, 0]).reshape(160, CHUNK // 480, 480), axis=(0, 2))
    assert by_place.max() / by_place.min() < 1.15


def test_noise_has_the_requested_spectrum_and_level() -> None:
    grain = color(np.random.default_rng(1), shape(band(500, 2_000, 0), -20))
    # The equal-power fades at both ends are left out: they halve the power there.
    assert rms_db(grain[:, 4_800:24_000]) == pytest.approx(-20, abs=0.15)
    hertz, power = signal.welch(grain[0].astype(np.float64), SAMPLE_RATE, nperseg=2_048)
    assert 10 * np.log10(power[np.searchsorted(hertz, 1_000)] / power[np.searchsorted(hertz, 16_000)]) > 25
    assert 10 * np.log10(power[np.searchsorted(hertz, 1_000)] / power[np.searchsorted(hertz, 60)]) > 15


def test_the_powers_of_combined_noises_add_up() -> None:
    low, high = shape(band(200, 800, 0), -20), shape(band(5_000, 9_000, 0), -23)
    generator = np.random.default_rng(1)
    apart, middle = color(generator, combine(low, high)), color(generator, np.zeros_like(low), combine(low, high))
    for grain in (apart, middle):
        assert rms_db(grain[:, 4_800:24_000]) == pytest.approx(10 * np.log10(10**-2 + 10**-2.3), abs=0.2)
    assert abs(np.corrcoef(apart)[0, 1]) < 0.1
    assert np.array_equal(middle[0], middle[1])


@TEXTURES
def test_skipping_equals_rendering(texture: type[Noise]) -> None:
    skipping, rendering = texture(5), texture(5)
    for noise in (skipping, rendering):
        noise.render(1_000)
    skipping.skip(2 * CHUNK)
    rendering.render(2 * CHUNK)
    assert np.array_equal(skipping.render(1_000), rendering.render(1_000))


def test_a_tone_has_the_requested_parameters() -> None:
    grain = np.zeros((2, GRAIN), np.float32)
    numbers = {"hertz": [1_000.0, 300.0], "decay": [0.002, 0.004], "peak": [0.5, -0.25], "pan": [-1.0, 0.5]}
    ring(grain, np.array([100, 20_000]), **{name: np.array(value) for name, value in numbers.items()})
    t = np.arange(672) / SAMPLE_RATE
    expected = 0.5 * np.exp(-t / 0.002) * np.cos(2 * np.pi * 1_000 * t)
    assert np.allclose(grain[:, 100:772], np.stack((expected, np.zeros(672))), atol=1e-5)
    assert not grain[:, :100].any()
    assert np.hypot(*grain[:, 20_000]) == pytest.approx(0.25)
    assert grain[1, 20_000] == pytest.approx(-0.25 * np.sin(1.5 * np.pi / 4))


def test_vinyl_hiss_has_the_intended_level(vinyl: np.ndarray) -> None:
    frames = vinyl.reshape(-1, 480, 2).astype(np.float64)
    assert -60 < 10 * np.log10(np.median(np.square(frames).mean(axis=(1, 2)))) < -54


def test_vinyl_ticks_are_frequent_and_pops_sparse(vinyl: np.ndarray) -> None:
    """Several peaks per second reach -40 to -30 dBFS, few exceed -30, and none exceeds -22 (peaks per 5 ms)."""
    peaks = 20 * np.log10(np.abs(vinyl).reshape(-1, 240, 2).max(axis=(1, 2)))
    assert 4 < ((peaks > -40) & (peaks < -30)).sum() / 60 < 20
    assert 0.05 < (peaks >= -30).sum() / 60 < 0.8
    assert peaks.max() < -22


def test_the_level_of_rain_varies_slightly() -> None:
    rain = Rain(2).render(60 * SAMPLE_RATE)
    levels = 10 * np.log10(np.square(rain.astype(np.float64)).reshape(60, -1).mean(axis=1))
    assert -40 < levels.mean() < -34
    assert 0.3 < levels.std() < 3
    assert abs(np.corrcoef(rain.T)[0, 1]) < 0.2
