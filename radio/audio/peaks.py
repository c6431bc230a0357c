"""Peaks between the samples: what a converter makes of a block, from four times as many samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from radio.types import GRID

_OVERSAMPLING = 4


class Peaks:
    """Finds the largest magnitude of each grid block, between its samples too where that may matter.

    Those between samples are found `taps` / 2 frames late, by a low-pass at a quarter of the finer rate's Nyquist
    frequency, a windowed sinc (Kaiser, β = 4).

    Args:
        taps: frames that each value between samples is made of.

    Source: ITU-R BS.1770-4, annex 2.
    """

    def __init__(self, taps: int) -> None:
        count = _OVERSAMPLING * taps
        sinc = np.kaiser(count + 1, 4.0)[:-1] * np.sinc((np.arange(count) - count / 2) / _OVERSAMPLING)
        sinc *= _OVERSAMPLING / sinc.sum()
        self._largest_gain = max(float(np.abs(sinc[phase::_OVERSAMPLING]).sum()) for phase in range(_OVERSAMPLING))
        """No peak between samples is higher than this times the highest sample around it."""
        fine = np.zeros((GRID + taps - 1, GRID * _OVERSAMPLING))
        for frame in range(GRID):
            for tap in range(taps):
                row = frame + taps - 1 - tap
                fine[row, frame * _OVERSAMPLING :][:_OVERSAMPLING] = sinc[tap * _OVERSAMPLING :][:_OVERSAMPLING]
        self._fine = fine.astype(np.float32)
        """From a grid block's samples, and those before it, to its four times as many."""
        self.heard: npt.NDArray[np.float32] = np.zeros((2, taps - 1), np.float32)

    def find(self, x: npt.NDArray[np.float32], above: float) -> npt.NDArray[np.float32]:
        """The next (2, frames), whole grid blocks, to their peaks (grid blocks,).

        Between samples they are looked for only around samples so high that one could lie above `above`.
        """
        line = np.concatenate((self.heard, x), axis=1)
        past, frames = self.heard.shape[1], x.shape[1]
        self.heard = line[:, frames:]
        magnitudes = np.abs(line).max(axis=0)
        peaks: npt.NDArray[np.float32] = magnitudes[past:].reshape(-1, GRID).max(axis=1)
        around = np.maximum(peaks, magnitudes[:frames].reshape(-1, GRID)[:, :past].max(axis=1))
        (high,) = np.nonzero(around * self._largest_gain > above)
        if len(high):
            samples = np.lib.stride_tricks.sliding_window_view(line, GRID + past, axis=1)[:, high * GRID]
            peaks[high] = np.maximum(peaks[high], np.abs(samples @ self._fine).max(axis=(0, 2)))
        return peaks
