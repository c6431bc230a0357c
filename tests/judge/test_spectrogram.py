from __future__ import annotations

import numpy as np
import pytest

from radio.judge.spectrogram import BANDS, RATE, Decimator, log_mel
from tests.judge.signals import noise, tone


def test_blocks_of_any_size_give_the_same_samples() -> None:
    audio = noise(seconds=1.0)
    whole = Decimator()
    expected = np.concatenate((whole.process(audio), whole.finish()))
    split = Decimator()
    parts = [split.process(part) for part in np.split(audio, [1, 2, 500, 7_001, 20_000])]
    assert np.abs(np.concatenate([*parts, split.finish()]) - expected).max() < 1e-6
    assert len(expected) == RATE


@pytest.mark.parametrize(("hertz", "gain_db"), [(100, 0), (1_000, 0), (7_000, 0), (8_300, -70), (12_000, -70)])
def test_frequencies_above_8_khz_are_removed(hertz: float, gain_db: float) -> None:
    decimator = Decimator()
    samples = decimator.process(tone(hertz, -20, 1.0))[1_000:-1_000]
    level = 20 * np.log10(np.sqrt(np.mean(samples**2)) + 1e-9)
    if gain_db:
        assert level < -20 + gain_db
    else:
        assert level == pytest.approx(-20, abs=0.05)


def test_a_tone_is_in_its_mel_band() -> None:
    """Slaney's bands are 66.7 Hz per mel below 1 kHz."""
    time = np.arange(RATE) / RATE
    frames = log_mel((0.1 * np.sin(2 * np.pi * 500 * time)).astype(np.float32))
    assert frames.shape == (RATE // 256 + 1, BANDS)
    top = 15 + np.log(8) / (np.log(6.4) / 27)
    assert frames.mean(axis=0).argmax() == round(500 / (200 / 3) / top * (BANDS + 1)) - 1


def test_silence_is_zero() -> None:
    assert not log_mel(np.zeros(RATE, np.float32)).any()
