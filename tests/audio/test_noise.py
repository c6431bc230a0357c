from __future__ import annotations

from copy import deepcopy
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from scipy import signal

from radio.audio.noise import CHUNK, GRAIN, Noise, band, both, colour, ring, shape
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
def test_whole_equals_split(texture: type[Noise], sizes: list[int]) -> None:
    split = texture(5)
    split.position = CHUNK - 3_000
    whole = deepcopy(split).render(FRAMES)
    cuts = bounds(sizes, FRAMES)
    assert np.array_equal(np.concatenate([split.render(b - a) for a, b in pairwise(cuts)]), whole)
    assert whole.dtype == np.float32


@TEXTURES
def test_any_place_can_be_rendered_at_once(texture: type[Noise]) -> None:
    late = texture(5)
    late.position = 3 * CHUNK + 500
    assert np.array_equal(late.render(4_800), texture(5).render(4 * CHUNK)[3 * CHUNK + 500 :][:4_800])


@TEXTURES
def test_a_copy_goes_on_identically(texture: type[Noise]) -> None:
    noise = texture(5)
    noise.render(CHUNK + 100)
    copy = deepcopy(noise)
    assert np.array_equal(noise.render(CHUNK), copy.render(CHUNK))


@TEXTURES
def test_seeds_and_chunks_share_nothing(texture: type[Noise]) -> None:
    blocks = [texture(seed).render(4 * CHUNK)[:, 0] for seed in (1, 2, -1)]
    chunks = [block[CHUNK * i : CHUNK * (i + 1)] for block in blocks for i in range(4)]
    correlation = np.corrcoef(np.array(chunks)) - np.eye(len(chunks))
    assert np.abs(correlation).max() < 0.1


@TEXTURES
def test_no_seam_between_chunks(texture: type[Noise]) -> None:
    """The level around the joints of the grains is the level elsewhere."""
    block = texture(3).render(160 * CHUNK)
    # Ticks and drops would hide it: the median is the noise underneath.
    by_place = np.median(np.abs(block[:, 0]).reshape(160, CHUNK // 480, 480), axis=(0, 2))
    assert by_place.max() / by_place.min() < 1.15


def test_noise_is_coloured_and_scaled_as_asked() -> None:
    grain = colour(np.random.default_rng(1), shape(band(500, 2_000, 0), -20))
    # Equal-power fades at both ends take half of their frames' power.
    assert rms_db(grain[:, 4_800:24_000]) == pytest.approx(-20, abs=0.15)
    hertz, power = signal.welch(grain[0].astype(np.float64), SAMPLE_RATE, nperseg=2_048)
    assert 10 * np.log10(power[np.searchsorted(hertz, 1_000)] / power[np.searchsorted(hertz, 16_000)]) > 25
    assert 10 * np.log10(power[np.searchsorted(hertz, 1_000)] / power[np.searchsorted(hertz, 60)]) > 15


def test_noises_that_sound_at_once_add_their_powers() -> None:
    low, high = shape(band(200, 800, 0), -20), shape(band(5_000, 9_000, 0), -23)
    generator = np.random.default_rng(1)
    apart, middle = colour(generator, both(low, high)), colour(generator, np.zeros_like(low), both(low, high))
    for grain in (apart, middle):
        assert rms_db(grain[:, 4_800:24_000]) == pytest.approx(10 * np.log10(10**-2 + 10**-2.3), abs=0.2)
    assert abs(np.corrcoef(apart)[0, 1]) < 0.1
    assert np.array_equal(middle[0], middle[1])


@TEXTURES
def test_what_is_skipped_is_as_if_it_had_been_heard(texture: type[Noise]) -> None:
    skipping, hearing = texture(5), texture(5)
    for noise in (skipping, hearing):
        noise.render(1_000)
    skipping.skip(2 * CHUNK)
    hearing.render(2 * CHUNK)
    assert np.array_equal(skipping.render(1_000), hearing.render(1_000))


def test_a_struck_tone_is_what_it_was_asked_to_be() -> None:
    grain = np.zeros((2, GRAIN), np.float32)
    numbers = {"hertz": [1_000.0, 300.0], "decay": [0.002, 0.004], "peak": [0.5, -0.25], "pan": [-1.0, 0.5]}
    ring(grain, np.array([100, 20_000]), **{name: np.array(value) for name, value in numbers.items()})
    t = np.arange(672) / SAMPLE_RATE
    expected = 0.5 * np.exp(-t / 0.002) * np.cos(2 * np.pi * 1_000 * t)
    assert np.allclose(grain[:, 100:772], np.stack((expected, np.zeros(672))), atol=1e-5)
    assert not grain[:, :100].any()
    assert np.hypot(*grain[:, 20_000]) == pytest.approx(0.25)
    assert grain[1, 20_000] == pytest.approx(-0.25 * np.sin(1.5 * np.pi / 4))


def test_vinyl_hiss_is_where_the_design_wants_it(vinyl: np.ndarray) -> None:
    frames = vinyl.reshape(-1, 480, 2).astype(np.float64)
    assert -60 < 10 * np.log10(np.median(np.square(frames).mean(axis=(1, 2)))) < -54


def test_vinyl_ticks_are_frequent_and_pops_sparse(vinyl: np.ndarray) -> None:
    """Peaks of each 5 ms, in dBFS: several a second between -40 and -30, one now and then above, none above -22."""
    peaks = 20 * np.log10(np.abs(vinyl).reshape(-1, 240, 2).max(axis=(1, 2)))
    assert 4 < ((peaks > -40) & (peaks < -30)).sum() / 60 < 20
    assert 0.05 < (peaks >= -30).sum() / 60 < 0.8
    assert peaks.max() < -22


def test_rain_is_steady_but_not_stiff() -> None:
    rain = Rain(2).render(60 * SAMPLE_RATE)
    levels = 10 * np.log10(np.square(rain.astype(np.float64)).reshape(60, -1).mean(axis=1))
    assert -40 < levels.mean() < -34
    assert 0.3 < levels.std() < 3
    assert abs(np.corrcoef(rain.T)[0, 1]) < 0.2
