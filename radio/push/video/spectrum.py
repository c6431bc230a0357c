"""A spectrum analyzer: the level of each frequency band, for the bars of the picture."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from radio.types import SAMPLE_RATE, Frames

Heights: TypeAlias = "npt.NDArray[np.float32]"
"""Heights of the bars, shape (bands,), 0–1."""

WINDOW: Final[Frames] = 4_096
"""85 ms: long enough to separate bass notes, and short enough to follow a hi-hat."""

_LOW, _HIGH = 45.0, 10_000.0
"""Hz: from the lowest bass note to the upper end of the tape's response."""
_FLOOR, _CEILING = -62.0, -14.0
"""dBFS of an empty bar and of a full bar."""
_TILT = 3.5
"""Gain towards the treble in dB per octave, to compensate for the lower energy of music there."""
_FALL = 2.2
"""Fall of a bar in full heights per second. Bars rise immediately and fall slowly, like a level meter."""


class Spectrum:
    """A spectrum analyzer of a stream of samples.

    Args:
        bands: Number of bars.
        fps: Number of calls of `heights` per second.
    """

    def __init__(self, bands: int, fps: int) -> None:
        self._recent = np.zeros(WINDOW, np.float32)
        self._hann = np.hanning(WINDOW).astype(np.float32)
        self._heights: Heights = np.zeros(bands, np.float32)
        self._fall = _FALL / fps
        edges = np.geomspace(_LOW, _HIGH, bands + 1) * WINDOW / SAMPLE_RATE
        first = np.floor(edges[:-1]).astype(int)
        self._bins = [slice(low, max(low + 1, int(high))) for low, high in zip(first, edges[1:], strict=True)]
        centers = np.sqrt(edges[:-1] * edges[1:]) * SAMPLE_RATE / WINDOW
        self._tilt = _TILT * np.log2(centers / 1_000)

    def add(self, samples: npt.NDArray[np.int16]) -> None:
        """Add the next samples, shape (frames, 2)."""
        mono = samples[-WINDOW:].mean(axis=1, dtype=np.float32) / 32_768
        self._recent = np.concatenate((self._recent[len(mono) :], mono))

    def heights(self) -> Heights:
        """Return the heights of the bars for the next video frame."""
        # 4 / WINDOW: half the energy is at negative frequencies, and a Hann window halves the amplitude.
        amplitudes = np.abs(np.fft.rfft(self._recent * self._hann)) * (4 / WINDOW)
        peaks = np.array([amplitudes[bins].max() for bins in self._bins])
        level = 20 * np.log10(np.maximum(peaks, 1e-9)) + self._tilt
        current = np.clip((level - _FLOOR) / (_CEILING - _FLOOR), 0, 1).astype(np.float32)
        self._heights = np.maximum(current, self._heights - self._fall)
        return self._heights
