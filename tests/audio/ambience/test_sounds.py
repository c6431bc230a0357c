"""Ambience sounds: each is endless, even, and unlike the others."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from scipy import signal

from radio.audio.ambience.mix import NOMINAL, SOUNDS
from radio.audio.loudness import WEIGHTING
from radio.audio.noise import CHUNK, Noise
from radio.settings import ambience
from radio.types import SAMPLE_RATE, Block
from tests.audio.pieces import SIZES, bounds, few

EACH = pytest.mark.parametrize("name", SOUNDS)
MINUTE = 60 * SAMPLE_RATE
_OCTAVES = 31.25 * 2.0 ** np.arange(10)
SYLLABLES = (3, 6)


def sound(name: str, seed: int = 5, position: int = 0) -> Noise:
    made = SOUNDS[name][0](seed)
    made.position = position
    return made


@cache
def seconds(name: str, count: int = 20, seed: int = 5) -> Block:
    """Return the beginning of a sound at its nominal level."""
    return sound(name, seed).render(count * SAMPLE_RATE) * np.float32(10 ** (SOUNDS[name][1] / 20))


def loudness(block: Block) -> float:
    weighted = signal.sosfilt(WEIGHTING, block.astype(np.float64), axis=0)
    return float(-0.691 + 10 * np.log10(np.square(weighted).sum(axis=1).mean()))


def octaves(block: Block) -> np.ndarray:
    """Return the level of each octave in dB relative to the whole."""
    hertz, power = signal.welch(block.mean(axis=1).astype(np.float64), SAMPLE_RATE, nperseg=8_192)
    sums = [power[(hertz >= low) & (hertz < 2 * low)].sum() for low in _OCTAVES[:-1]]
    return np.asarray(10 * np.log10(np.array(sums) / sum(sums) + 1e-6))


def modulation(block: Block) -> np.ndarray:
    """Return the depth of the envelope's movement at 0.1–1, 1–3, 3–6, 6–15 and 15–45 Hz, as shares of its mean."""
    squares = np.square(block.mean(axis=1).astype(np.float64))
    envelope = np.sqrt(squares[: len(squares) // 480 * 480].reshape(-1, 480).mean(axis=1))
    hertz, power = signal.welch(envelope / envelope.mean() - 1, 100, nperseg=1_000)
    edges = (0.1, 1, 3, 6, 15, 45)
    return np.array([np.sqrt(power[(hertz >= a) & (hertz < b)].sum() * hertz[1]) for a, b in pairwise(edges)])


def test_the_settings_name_every_sound() -> None:
    assert tuple(SOUNDS) == ambience.SOUNDS


@EACH
@few
@given(sizes=SIZES)
def test_samples_do_not_depend_on_block_sizes(name: str, sizes: list[int]) -> None:
    frames = 2 * CHUNK
    whole, split, cuts = sound(name, position=CHUNK - 3_000), sound(name, position=CHUNK - 3_000), bounds(sizes, frames)
    assert np.array_equal(np.concatenate([split.render(b - a) for a, b in pairwise(cuts)]), whole.render(frames))


@EACH
def test_any_position_can_be_rendered_directly(name: str) -> None:
    place = 37 * CHUNK + 500
    whole = sound(name, position=30 * CHUNK).render(8 * CHUNK)
    assert np.array_equal(sound(name, position=place).render(4_800), whole[place - 30 * CHUNK :][:4_800])


@EACH
def test_every_minute_has_the_nominal_loudness(name: str) -> None:
    minute = sound(name, 9, 40 * MINUTE).render(MINUTE) * np.float32(10 ** (SOUNDS[name][1] / 20))
    assert loudness(minute) == pytest.approx(NOMINAL, abs=1.5)
    assert np.abs(minute).max() < 10 ** (-6 / 20)
    assert np.abs(minute.mean(axis=0, dtype=np.float64)).max() < 1e-4


@EACH
def test_no_seam_between_chunks_is_sharper_than_the_sound_itself(name: str) -> None:
    """A cut would be a step, whose second difference is large in the same frame of every chunk."""
    bends = np.abs(np.diff(seconds(name).astype(np.float64), 2, axis=0)).max(axis=1)
    chunks = bends[: len(bends) // CHUNK * CHUNK].reshape(-1, CHUNK)
    at_seams = np.median(np.maximum(chunks[1:, :2].max(axis=1), chunks[:-1, -2:].max(axis=1)))
    elsewhere = np.median(chunks[:, 2:-2].reshape(len(chunks), -1, 4).max(axis=2))
    assert at_seams < 4 * elsewhere


@EACH
def test_no_part_of_a_sound_repeats(name: str) -> None:
    parts = seconds(name)[:, 0].reshape(-1, CHUNK)
    parts = np.concatenate((parts, seconds(name, seed=6)[:, 0].reshape(-1, CHUNK)))
    correlation = np.corrcoef(parts) - np.eye(len(parts))
    assert np.abs(correlation).max() < 0.35
    assert len({part.tobytes() for part in parts}) == len(parts)


def test_the_sounds_differ_by_spectrum_or_movement() -> None:
    figures = {name: (octaves(seconds(name)), modulation(seconds(name))) for name in SOUNDS}
    for place, one in enumerate(SOUNDS):
        for other in list(SOUNDS)[place + 1 :]:
            (spectrum, movement), (spectrum_of_other, movement_of_other) = figures[one], figures[other]
            apart = np.abs(np.maximum(spectrum, -30) - np.maximum(spectrum_of_other, -30)).mean()
            moved = np.abs(20 * np.log10((movement + 0.02) / (movement_of_other + 0.02))).mean()
            assert apart + moved > 4, f"{one} is too similar to {other}: {apart:.1f} dB, {moved:.1f} dB"


def test_a_cafe_is_modulated_like_speech() -> None:
    """Syllables come three to six times a second, and most of the energy is at the formants of vowels."""
    movement = modulation(seconds("cafe"))
    assert movement[2] == max(movement)
    assert octaves(seconds("cafe"))[3:7].max() == octaves(seconds("cafe")).max()


def test_waves_and_thunder_move_slowly_and_rain_hardly_at_all() -> None:
    slow = {name: modulation(seconds(name))[0] for name in ("waves", "thunder", "rain_window", "brown_noise")}
    assert min(slow["waves"], slow["thunder"]) > 0.3
    assert max(slow["rain_window"], slow["brown_noise"]) < 0.15
