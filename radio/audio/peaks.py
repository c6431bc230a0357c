"""Peaks of the continuous signal, including those between samples, by four-fold oversampling."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from radio.types import GRID

_OVERSAMPLING = 4


class Peaks:
    """A detector of the largest magnitude in each grid block, including peaks between samples.

    Peaks between samples are found `taps` / 2 frames late, with a low-pass at a quarter of the Nyquist frequency of the
    higher rate: a windowed sinc (Kaiser, β = 4).

    Args:
        taps: the number of frames from which each interpolated value is computed.

    Source: ITU-R BS.1770-4, annex 2.
    """

    def __init__(self, taps: int) -> None:
        count = _OVERSAMPLING * taps
        sinc = np.kaiser(count + 1, 4.0)[:-1] * np.sinc((np.arange(count) - count / 2) / _OVERSAMPLING)
        sinc *= _OVERSAMPLING / sinc.sum()
        self._largest_gain = max(float(np.abs(sinc[phase::_OVERSAMPLING]).sum()) for phase in range(_OVERSAMPLING))
        """An upper bound for the ratio of a peak between samples to the highest sample around it."""
        interpolation = np.zeros((GRID + taps - 1, GRID * _OVERSAMPLING))
        for frame in range(GRID):
            for tap in range(taps):
                row = frame + taps - 1 - tap
                interpolation[row, frame * _OVERSAMPLING :][:_OVERSAMPLING] = sinc[tap * _OVERSAMPLING :][
                    :_OVERSAMPLING
                ]
        self._interpolation = interpolation.astype(np.float32)
        """Maps a grid block's samples, and the `taps` - 1 before it, to its oversampled values."""
        self.past: npt.NDArray[np.float32] = np.zeros((2, taps - 1), np.float32)

    def find(self, x: npt.NDArray[np.float32], above: float) -> npt.NDArray[np.float32]:
        """Return the peaks of the next whole grid blocks.

        Args:
            x: (2, frames).
            above: peaks between samples are searched only where they could exceed this value.

        Returns:
            (grid blocks,) magnitudes.
        """
        line = np.concatenate((self.past, x), axis=1)
        past, frames = self.past.shape[1], x.shape[1]
        self.past = line[:, frames:]
        magnitudes = np.abs(line).max(axis=0)
        peaks: npt.NDArray[np.float32] = magnitudes[past:].reshape(-1, GRID).max(axis=1)
        around = np.maximum(peaks, magnitudes[:frames].reshape(-1, GRID)[:, :past].max(axis=1))
        (high,) = np.nonzero(around * self._largest_gain > above)
        if len(high):
            samples = np.lib.stride_tricks.sliding_window_view(line, GRID + past, axis=1)[:, high * GRID]
            peaks[high] = np.maximum(peaks[high], np.abs(samples @ self._interpolation).max(axis=(0, 2)))
        return peaks
