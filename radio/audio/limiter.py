"""A look-ahead limiter that never lets a sample above its ceiling, nor a peak between samples."""

from __future__ import annotations

import math

import numpy as np

from radio.audio.curve import LINES, Curve, Lines, Signal
from radio.audio.peaks import Peaks
from radio.types import GRID, MIX_BLOCK, SAMPLE_RATE, Dbfs, Frames

_SPAN = 3
"""Windows averaged for each point of the gain; the gain takes this many grid blocks (4 ms) to come down."""
_TAPS = 12
_MARGIN = 0.1
"""dB kept free below the ceiling, since four times interpolated is not yet the continuous signal."""
_RELEASE = 1 - math.exp(-GRID / SAMPLE_RATE / 0.1)
"""Share of the way back to unity per grid block: a time constant of 0.1 s."""


class Limiter:
    """Gain reduction by sliding minimum and smoothing window, on the absolute grid of 64 frames.

    Of each grid block the largest peak asks for a gain; a release lets that rise again only slowly. The minimum over a
    window of _SPAN + 2 blocks slides, _SPAN neighbouring minima are averaged, and straight lines join the averages.
    Every window that is averaged at either end of a block contains that block and the next, so each minimum is at most
    what the block itself asks for, and so are averages of such minima and lines between them: nothing passes the
    ceiling. Peaks between samples are found by interpolating four times, six frames late, hence "and the next".

    Args:
        ceiling: dBFS.

    Source: sliding minimum and smoothing FIR as in "Designing a straightforward limiter" (Signalsmith Audio);
    interpolation as in ITU-R BS.1770-4, annex 2.
    """

    latency: Frames = (_SPAN + 2) * GRID

    def __init__(self, ceiling: Dbfs) -> None:
        self._ceiling = 10 ** ((ceiling - _MARGIN) / 20)
        self._peaks = Peaks(_TAPS)
        self.delayed: Signal = np.zeros((2, self.latency), np.float32)
        self._gain = Curve(1.0)
        self._asked = [1.0] * (2 * _SPAN + 1)

    def process(self, x: Signal) -> Signal:
        """Limit the next (2, MIX_BLOCK); what comes out is `latency` frames older."""
        self._ask(self._peaks.find(x, self._ceiling))
        line = np.concatenate((self.delayed, x), axis=1)
        self.delayed = line[:, MIX_BLOCK:]
        gains = self._gains()
        if gains is None and self._gain.end == 1.0:
            return line[:, :MIX_BLOCK]
        gain = self._gain.draw(np.ones(LINES) if gains is None else gains)
        return line[:, :MIX_BLOCK] * np.asarray(gain, np.float32)

    def _ask(self, peaks: Signal) -> None:
        """Add the gain that each grid block asks for."""
        last = self._asked[-1]
        if last == 1.0 and peaks.max() <= self._ceiling:
            self._asked += [1.0] * LINES
            return
        for worst in peaks.tolist():
            released = last + (1 - last) * _RELEASE if last < 0.999_999 else 1.0
            last = min(released, self._ceiling / max(worst, self._ceiling))
            self._asked.append(last)

    def _gains(self) -> Lines | None:
        """The gain at the end of each grid block, for which the 2 · _SPAN + 1 blocks around it are asked.

        None where nothing is to be held back.
        """
        asked = self._asked
        self._asked = asked[LINES:]
        if min(asked) == 1.0:
            return None
        windows = [asked[start : len(asked) - _SPAN - 1 + start] for start in range(_SPAN + 2)]
        minima = np.array(windows).min(axis=0)
        gains: Lines = sum((minima[start : start + LINES] for start in range(_SPAN)), np.zeros(LINES)) / _SPAN
        return gains
