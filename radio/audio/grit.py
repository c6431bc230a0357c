"""The grain of an old sampler: fewer bits, and a lower sampling rate without a filter behind it."""

from __future__ import annotations

import numpy as np

from radio.audio.curve import Signal
from radio.types import SAMPLE_RATE, Frames

_REACH: Frames = 8
"""How far back the sample that is held may lie; sets the lowest rate, 6 kHz."""


class Grit:
    """Sample and hold at `rate` on the absolute clock, rounded to `bits`.

    Args:
        bits: size of a sample; full scale is ±1.0.
        rate: Hz, 6,000 to 48,000.
    """

    def __init__(self, bits: float, rate: float) -> None:
        self._steps = 2 ** (bits - 1)
        self._rate = round(rate)
        self.past: Signal = np.zeros((2, _REACH))

    def process(self, x: Signal, position: Frames) -> Signal:
        """Hold and round (2, frames), which begin at the absolute frame `position`."""
        frames = x.shape[1]
        line = np.concatenate((self.past, x), axis=1)
        self.past = line[:, frames:]
        now = np.arange(position, position + frames)
        # Of the old sampler's ticks, the last one up to now, and the first of our frames that is not before it.
        held = -(-(now * self._rate // SAMPLE_RATE * SAMPLE_RATE) // self._rate)
        return np.rint(line.take(held - (position - _REACH), axis=1) * self._steps) / self._steps
