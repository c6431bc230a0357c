"""Signals for tests of the judge."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from radio.judge.spectrogram import RATE
from radio.station.audio_files import to_pcm
from radio.types import SAMPLE_RATE, Block


def tone(hertz: float, level_db: float = -20.0, seconds: float = 5.0) -> Block:
    """Return a sine on both channels."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    sine = 10 ** (level_db / 20) * np.sqrt(2) * np.sin(2 * np.pi * hertz * time)
    return np.repeat(sine[:, None], 2, axis=1).astype(np.float32)


def noise(level_db: float = -20.0, seconds: float = 5.0, *, seed: int = 0) -> Block:
    """Return white noise, independent in the two channels."""
    random = np.random.default_rng(seed)
    return (10 ** (level_db / 20) * random.standard_normal((round(seconds * SAMPLE_RATE), 2))).astype(np.float32)


def write(path: Path, audio: Block) -> Path:
    """Write a 16-bit WAV file with the channels of the audio, and return its path."""
    with wave.open(str(path), "wb") as file:
        file.setparams((audio.shape[1], 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(to_pcm(audio))
    return path


def example() -> npt.NDArray[np.float32]:
    """Return the ten seconds of mono audio at 16 kHz that `musicnn_outputs.json` was computed from."""
    random = np.random.default_rng(0)
    time = np.arange(10 * RATE) / RATE
    gated = 0.05 * random.standard_normal(len(time)) * (np.sin(2 * np.pi * 2 * time) > 0)
    tones = 0.1 * np.sin(2 * np.pi * 220 * time) + 0.1 * np.sin(2 * np.pi * (300 + 50 * time) * time)
    return np.asarray(((gated + tones) * 32_767).astype(np.int16) / 32_768, np.float32)
