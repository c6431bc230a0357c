"""The grain of an old sampler: fewer bits, and a lower sampling rate without a filter behind it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from radio.audio.curve import Signal
from radio.types import MIX_BLOCK, SAMPLE_RATE, Frames

_REACH: Frames = 8
"""How far back the sample that is held may lie; sets the lowest rate, 6 kHz."""


class Grit:
    """Sample and hold at `rate` on the absolute clock, rounded to `bits`.

    Args:
        bits: size of a sample; full scale is ±1.0.
        rate: Hz, 6,000 to 48,000.
        channels: rows of the signal.
    """

    def __init__(self, bits: float, rate: float, *, channels: int) -> None:
        self._steps = np.float32(2 ** (bits - 1))
        self._rate = round(rate)
        self._held: dict[int, npt.NDArray[np.intp]] = {}
        """Which samples a block holds, by where it begins between two ticks of the old sampler: at most 25 ways."""
        self.past: Signal = np.zeros((channels, _REACH), np.float32)

    def process(self, x: Signal, position: Frames) -> Signal:
        """Hold and round (channels, MIX_BLOCK) from the absolute frame `position`, a multiple of MIX_BLOCK."""
        line = np.concatenate((self.past, x), axis=1)
        self.past = line[:, MIX_BLOCK:]
        y: Signal = line.take(self._holding(position), axis=1)
        y *= self._steps
        np.rint(y, out=y)
        y /= self._steps
        return y

    def _holding(self, position: Frames) -> npt.NDArray[np.intp]:
        phase = position * self._rate % SAMPLE_RATE
        if phase not in self._held:
            now = np.arange(position, position + MIX_BLOCK)
            # Of the old sampler's ticks, the last one up to now, and the first of our frames that is not before it.
            held = -(-(now * self._rate // SAMPLE_RATE * SAMPLE_RATE) // self._rate)
            self._held[phase] = held - (position - _REACH)
        return self._held[phase]
