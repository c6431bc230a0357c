"""Test tones."""

from __future__ import annotations

import numpy as np

from radio.types import SAMPLE_RATE, Block


def tone(frames: int, hertz: float = 440.0, start: int = 0) -> Block:
    """Return a sine at −12 dBFS on the left channel and an octave higher on the right."""
    t = (start + np.arange(frames)) / SAMPLE_RATE
    left, right = np.sin(2 * np.pi * hertz * t), np.sin(4 * np.pi * hertz * t)
    return (0.25 * np.stack([left, right], axis=1)).astype(np.float32)
