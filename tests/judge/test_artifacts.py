from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from radio.errors import JudgeError
from radio.judge.artifacts import Dnsmos
from radio.judge.spectrogram import RATE

INSTALLED = all(importlib.util.find_spec(name) for name in ("speechmos", "onnxruntime"))


@pytest.mark.skipif(INSTALLED, reason="speechmos is installed")
def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(JudgeError, match=r"artifacts need .*speechmos.*pip install 'lofi-radio-daemon\[artifacts\]'"):
        Dnsmos()


@pytest.mark.skipif(not INSTALLED, reason="speechmos is not installed: pip install 'lofi-radio-daemon[artifacts]'")
def test_noise_lowers_the_scores() -> None:
    random = np.random.default_rng(0)
    time = np.arange(12 * RATE) / RATE
    voice = 0.1 * np.sin(2 * np.pi * 200 * time) * (np.sin(2 * np.pi * 3 * time) > 0)
    clean = Dnsmos().judge(voice.astype(np.float32))
    noisy = Dnsmos().judge((voice + 0.2 * random.standard_normal(len(time))).astype(np.float32))
    assert 1 <= noisy.background < clean.background <= 5
