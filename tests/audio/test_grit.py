from __future__ import annotations

import numpy as np
import pytest

from radio.audio.grit import Grit
from radio.types import MIX_BLOCK, SAMPLE_RATE

RAMP = np.stack((np.linspace(-1, 1, 5 * MIX_BLOCK), np.linspace(1, -1, 5 * MIX_BLOCK))).astype(np.float32)


def processed(grit: Grit) -> np.ndarray:
    starts = range(0, RAMP.shape[1], MIX_BLOCK)
    return np.concatenate([grit.process(RAMP[:, at : at + MIX_BLOCK], at) for at in starts], axis=1)


def test_bits_determine_the_number_of_steps() -> None:
    out = processed(Grit(6, 48_000, channels=2))
    assert len(np.unique(out)) == 2**6 + 1
    assert np.abs(out - RAMP).max() <= 2**-6 + 1e-6


@pytest.mark.parametrize("rate", [6_000, 12_000, 26_040, 29_999, 47_999])
def test_samples_are_held_at_the_rate(rate: int) -> None:
    out = processed(Grit(24, rate, channels=2))
    now = np.arange(RAMP.shape[1])
    ticks = now * rate // SAMPLE_RATE  # sampling instants before each frame
    assert np.allclose(out, RAMP[:, -(-ticks * SAMPLE_RATE // rate)], atol=2**-23)


def test_full_rate_and_24_bits_leave_the_signal_unchanged() -> None:
    assert np.allclose(processed(Grit(24, 48_000, channels=2)), RAMP, atol=2**-23)


def test_the_cache_of_held_indices_is_bounded() -> None:
    grit = Grit(12, 29_999, channels=2)
    for at in range(0, 200 * MIX_BLOCK, MIX_BLOCK):
        grit.process(RAMP[:, :MIX_BLOCK], at)
    assert len(grit._indices) <= 25
