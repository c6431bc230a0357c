"""A look-ahead limiter: neither samples nor inter-sample peaks exceed its ceiling."""

from __future__ import annotations

import math

import numpy as np

from radio.audio.curve import LINES, Curve, Lines, Signal
from radio.audio.peaks import Peaks
from radio.types import GRID, MIX_BLOCK, SAMPLE_RATE, Dbfs, Frames

_SMOOTHING = 3
"""Minima averaged for each point of the gain; the gain takes this many grid blocks (4 ms) to fall."""
_TAPS = 12
_MARGIN = 0.1
"""dB of headroom below the ceiling, because four-fold oversampling only approximates the continuous signal."""
_RELEASE = 1 - math.exp(-GRID / SAMPLE_RATE / 0.1)
"""Share of the remaining gain reduction that is released per grid block: a time constant of 0.1 s."""


class Limiter:
    """Gain reduction by a sliding minimum and a smoothing window, on the absolute grid of 64 frames.

    The largest peak of each grid block requires a gain, which is released slowly after the peak. A minimum slides over
    _SMOOTHING + 2 grid blocks, _SMOOTHING adjacent minima are averaged, and the averages are joined by straight lines.
    Each minimum that is averaged at either end of a grid block covers that block and the next. So the minima, their
    averages and the lines between these are at most the required gain, and nothing exceeds the ceiling. The windows
    cover the next block as well, because four-fold oversampling finds inter-sample peaks six frames late.

    Args:
        ceiling: dBFS.

    Source: sliding minimum and smoothing FIR as in "Designing a straightforward limiter" (Signalsmith Audio);
    interpolation as in ITU-R BS.1770-4, annex 2.
    """

    latency: Frames = (_SMOOTHING + 2) * GRID

    def __init__(self, ceiling: Dbfs) -> None:
        self._ceiling = 10 ** ((ceiling - _MARGIN) / 20)
        self._peaks = Peaks(_TAPS)
        self.delayed: Signal = np.zeros((2, self.latency), np.float32)
        self._gain = Curve(1.0)
        self._required = [1.0] * (2 * _SMOOTHING + 1)

    def process(self, x: Signal) -> Signal:
        """Limit the next block, (2, MIX_BLOCK); the output lags by `latency` frames."""
        self._require(self._peaks.find(x, self._ceiling))
        line = np.concatenate((self.delayed, x), axis=1)
        self.delayed = line[:, MIX_BLOCK:]
        gains = self._gains()
        if gains is None and self._gain.end == 1.0:
            return line[:, :MIX_BLOCK]
        gain = self._gain.draw(np.ones(LINES) if gains is None else gains)
        return line[:, :MIX_BLOCK] * np.asarray(gain, np.float32)

    def _require(self, peaks: Signal) -> None:
        """Append the gain that the peak of each grid block requires."""
        last = self._required[-1]
        if last == 1.0 and peaks.max() <= self._ceiling:
            self._required += [1.0] * LINES
            return
        for peak in peaks.tolist():
            released = last + (1 - last) * _RELEASE if last < 0.999_999 else 1.0
            last = min(released, self._ceiling / max(peak, self._ceiling))
            self._required.append(last)

    def _gains(self) -> Lines | None:
        """Return the gain at the end of each grid block, or None if nothing needs limiting.

        Each gain depends on the 2 · _SMOOTHING + 1 grid blocks around it.
        """
        required = self._required
        self._required = required[LINES:]
        if min(required) == 1.0:
            return None
        windows = [required[start : len(required) - _SMOOTHING - 1 + start] for start in range(_SMOOTHING + 2)]
        minima = np.array(windows).min(axis=0)
        total = sum((minima[start : start + LINES] for start in range(_SMOOTHING)), np.zeros(LINES))
        gains: Lines = total / _SMOOTHING
        return gains
