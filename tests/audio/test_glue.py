from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

from radio.audio.curve import Signal
from radio.audio.glue import Glue
from radio.types import MIX_BLOCK, SAMPLE_RATE

BLOCKS_PER_SECOND = SAMPLE_RATE / MIX_BLOCK


def noise(decibels: float, seconds: float) -> Signal:
    """Return whole blocks of noise, (2, frames), at a level in dBFS RMS."""
    frames = round(seconds * BLOCKS_PER_SECOND) * MIX_BLOCK
    return (10 ** (decibels / 20) * np.random.default_rng(3).standard_normal((2, frames))).astype(np.float32)


def gains(glue: Glue, x: Signal) -> np.ndarray:
    """Return the gain in dB at each frame."""
    drawn = [glue.draw(x[:, at : at + MIX_BLOCK]) for at in range(0, x.shape[1], MIX_BLOCK)]
    return 20 * np.log10(np.concatenate([np.broadcast_to(gain, MIX_BLOCK) for gain in drawn]))


def test_a_share_of_a_level_difference_is_removed() -> None:
    glue = Glue(0.4)
    loud, soft = gains(glue, noise(-17, 8))[-1], gains(glue, noise(-25, 12))[-1]
    assert soft - loud == pytest.approx(0.4 * 8, abs=0.1)


def test_a_typical_mix_keeps_its_level_and_the_gain_for_silence_is_limited() -> None:
    assert gains(Glue(0.4), noise(-20, 8))[-1] == pytest.approx(0, abs=0.1)
    assert gains(Glue(0.4), np.zeros((2, 300 * MIX_BLOCK), np.float32)).max() <= 0.4 * 10 + 0.01


def test_a_drum_hit_hardly_moves_the_gain() -> None:
    glue = Glue(0.4)
    gains(glue, noise(-20, 8))
    assert np.abs(gains(glue, noise(-8, 0.08))).max() < 1.0


def test_the_gain_moves_without_steps_and_a_copy_continues_identically() -> None:
    glue = Glue(0.8)
    sound = np.concatenate((noise(-40, 1), noise(-6, 1), noise(-40, 2)), axis=1)
    drawn = gains(glue, sound)
    assert np.abs(np.diff(drawn)).max() < 0.01
    copy = deepcopy(glue)
    assert np.array_equal(gains(glue, sound), gains(copy, sound))
