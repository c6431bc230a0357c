from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from radio.audio.filters import high_pass_sections, low_pass_sections
from radio.audio.room import _DAMPING, _DELAYS, _INPUT_GAINS, Room
from radio.types import MIX_BLOCK, SAMPLE_RATE
from tests.audio.pieces import in_blocks, rms_db

NOISE = np.random.default_rng(5).standard_normal((2, 12_000))


@pytest.mark.parametrize("decay", [0.5, 2.0])
def test_sound_falls_by_60_db_in_the_decay_time(decay: float) -> None:
    x = np.zeros((2, round(3 * SAMPLE_RATE)))
    x[:, :2_400] = NOISE[:, :2_400]
    out = in_blocks(Room(decay).process, x)
    early, late = (out[:, at : at + 4_800] for at in (9_600, 9_600 + round(decay / 2 * SAMPLE_RATE)))
    # The treble decays faster because of the damping.
    assert 25 < rms_db(early) - rms_db(late) < 45


def test_left_and_right_are_uncorrelated_but_equally_loud() -> None:
    out = in_blocks(Room(1.0).process, np.repeat(NOISE[:1], 2, axis=0))
    assert abs(np.corrcoef(out)[0, 1]) < 0.3
    assert abs(rms_db(out[0]) - rms_db(out[1])) < 1.5


def sample_by_sample(x: np.ndarray, decay: float) -> np.ndarray:
    """Compute the network directly, with a one-pole low-pass in each line."""
    sections = np.concatenate((high_pass_sections(180), low_pass_sections(4_500)))
    mono = signal.sosfilt(sections, x.mean(axis=0))
    gains = np.array([10 ** (-3 * delay / SAMPLE_RATE / decay) for delay in _DELAYS])
    inputs, damped, out = np.zeros((len(_DELAYS), len(mono))), np.zeros(len(_DELAYS)), np.zeros_like(x)
    for now in range(len(mono)):
        delayed = np.array([inputs[k, now - delay] if now >= delay else 0.0 for k, delay in enumerate(_DELAYS)])
        damped = (1 - _DAMPING) * delayed * gains + _DAMPING * damped
        inputs[:, now] = damped - damped.sum() * 2 / len(_DELAYS) + _INPUT_GAINS * mono[now]
        out[:, now] = damped[0::2].sum(), damped[1::2].sum()
    return out


def test_the_output_equals_a_sample_by_sample_network() -> None:
    out = in_blocks(Room(0.9).process, NOISE)
    expected = sample_by_sample(NOISE, 0.9)
    assert rms_db(out - expected) - rms_db(expected) < -60


def test_the_reverb_decays_to_silence_without_denormals() -> None:
    room = Room(0.1)
    in_blocks(room.process, NOISE)
    out = in_blocks(room.process, np.zeros((2, 40 * MIX_BLOCK)))
    assert np.abs(out[:, -MIX_BLOCK:]).max() < 1e-15
    assert np.abs(room.lines).min() > np.finfo(np.float32).tiny
