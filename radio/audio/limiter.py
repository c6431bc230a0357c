"""A look-ahead limiter that never lets a sample above its ceiling, nor a peak between samples."""

from __future__ import annotations

import math

import numpy as np
from scipy import signal

from radio.audio.curve import Curve, Signal
from radio.types import GRID, SAMPLE_RATE, Dbfs, Frames

_SPAN = 3
"""Windows averaged for each point of the gain; the gain takes this many grid blocks (4 ms) to come down."""
_OVERSAMPLING, _TAPS = 4, 12
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
        self._interpolator: Signal = _OVERSAMPLING * signal.firwin(
            _OVERSAMPLING * _TAPS, 1 / _OVERSAMPLING, window=("kaiser", 4.0)
        )
        self._largest_gain = max(np.abs(self._interpolator[i::_OVERSAMPLING]).sum() for i in range(_OVERSAMPLING))
        self.delayed: Signal = np.zeros((2, self.latency))
        self.heard: Signal = np.zeros((2, _TAPS - 1))
        self._gain = Curve(1.0)
        self._asked = [1.0] * (2 * _SPAN + 1)
        self._worst = 0.0

    def process(self, x: Signal, position: Frames) -> Signal:
        """Limit (2, frames), which begin at the absolute frame `position`; what comes out is `latency` frames older."""
        frames = x.shape[1]
        self._ask(self._peaks(x), position)
        line = np.concatenate((self.delayed, x), axis=1)
        self.delayed = line[:, frames:]
        return line[:, :frames] * self._gain.draw(position, frames, self._next_gain)

    def _peaks(self, x: Signal) -> Signal:
        """The largest magnitude at each frame and in the gaps that end six frames before it: (frames,)."""
        frames = x.shape[1]
        line = np.concatenate((self.heard, x), axis=1)
        self.heard = line[:, frames:]
        peaks: Signal = np.abs(x).max(axis=0)
        if np.abs(line).max(initial=0) * self._largest_gain > self._ceiling:
            fine = signal.upfirdn(self._interpolator, line, up=_OVERSAMPLING, axis=1)
            heights = np.abs(fine[:, _OVERSAMPLING * (_TAPS - 1) : _OVERSAMPLING * (_TAPS - 1 + frames)]).max(axis=0)
            for phase in range(_OVERSAMPLING):
                peaks = np.maximum(peaks, heights[phase::_OVERSAMPLING])
        return peaks

    def _ask(self, peaks: Signal, position: Frames) -> None:
        """Add the gain that each completed grid block asks for."""
        first = min(-position % GRID, len(peaks))
        whole = first + (len(peaks) - first) // GRID * GRID
        if first:
            self._worst = max(self._worst, float(peaks[:first].max()))
            if (position + first) % GRID == 0:
                self._complete(self._worst)
        for worst in peaks[first:whole].reshape(-1, GRID).max(axis=1).tolist():
            self._complete(worst)
        if whole < len(peaks):
            self._worst = float(peaks[whole:].max())

    def _complete(self, worst: float) -> None:
        last = self._asked[-1]
        released = last + (1 - last) * _RELEASE if last < 0.999_999 else 1.0
        self._asked.append(min(released, self._ceiling / max(worst, self._ceiling)))
        self._worst = 0.0

    def _next_gain(self) -> float:
        """The gain at the next grid line, for which the 2 · _SPAN + 1 blocks around it are asked."""
        around = self._asked[: 2 * _SPAN + 1]
        del self._asked[0]
        if min(around) == 1.0:
            return 1.0
        return sum(min(around[i : i + _SPAN + 2]) for i in range(_SPAN)) / _SPAN
