"""The sound of an old sampler: fewer bits and a lower sampling rate without a reconstruction filter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from radio.audio.curve import Signal
from radio.types import MIX_BLOCK, SAMPLE_RATE, Frames

_REACH: Frames = 8
"""Maximum age of a held sample; this limits the rate to 6 kHz or more."""


class Grit:
    """A sample-and-hold at `rate` on the absolute clock that rounds to `bits`.

    Args:
        bits: resolution of a sample; full scale is ±1.0.
        rate: in Hz, 6,000 to 48,000.
        channels: the rows of the signal.
    """

    def __init__(self, bits: float, rate: float, *, channels: int) -> None:
        self._steps = np.float32(2 ** (bits - 1))
        self._rate = round(rate)
        self._indices: dict[int, npt.NDArray[np.intp]] = {}
        """Indices of the held samples of a block, by its phase within a period of `rate`: at most 25 entries."""
        self.past: Signal = np.zeros((channels, _REACH), np.float32)

    def process(self, x: Signal, position: Frames) -> Signal:
        """Process a block, (channels, MIX_BLOCK), at the absolute frame `position`, a multiple of MIX_BLOCK."""
        line = np.concatenate((self.past, x), axis=1)
        self.past = line[:, MIX_BLOCK:]
        y: Signal = line.take(self._held_indices(position), axis=1)
        y *= self._steps
        np.rint(y, out=y)
        y /= self._steps
        return y

    def _held_indices(self, position: Frames) -> npt.NDArray[np.intp]:
        phase = position * self._rate % SAMPLE_RATE
        if phase not in self._indices:
            now = np.arange(position, position + MIX_BLOCK)
            # The latest sampling instant up to each frame, rounded up to a whole frame.
            held = -(-(now * self._rate // SAMPLE_RATE * SAMPLE_RATE) // self._rate)
            self._indices[phase] = held - (position - _REACH)
        return self._indices[phase]
