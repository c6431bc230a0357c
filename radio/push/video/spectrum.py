"""How loud each band of the music is now: what the bars of the picture show."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from radio.types import SAMPLE_RATE, Frames

Heights: TypeAlias = "npt.NDArray[np.float32]"
"""Shape (bands,), each 0–1."""

WINDOW: Final[Frames] = 4_096
"""85 ms: long enough to tell bass notes apart, short enough to follow a hat."""

_LOW, _HIGH = 45.0, 10_000.0
"""Hz: from the bass's lowest note to where the tape's tone ends."""
_FLOOR, _CEILING = -62.0, -14.0
"""dBFS that make no bar and a full one."""
_TILT = 3.5
"""dB an octave that are given to the treble, which music has less of."""
_FALL = 2.2
"""Of the full height in a second: a bar rises at once and sinks slowly, as a level meter does."""


class Spectrum:
    """Follows a stream of samples.

    Args:
        bands: How many bars.
        fps: How often `heights` is asked for.
    """

    def __init__(self, bands: int, fps: int) -> None:
        self._recent = np.zeros(WINDOW, np.float32)
        self._hann = np.hanning(WINDOW).astype(np.float32)
        self._heights: Heights = np.zeros(bands, np.float32)
        self._fall = _FALL / fps
        edges = np.geomspace(_LOW, _HIGH, bands + 1) * WINDOW / SAMPLE_RATE
        first = np.floor(edges[:-1]).astype(int)
        self._bins = [slice(low, max(low + 1, int(high))) for low, high in zip(first, edges[1:], strict=True)]
        centres = np.sqrt(edges[:-1] * edges[1:]) * SAMPLE_RATE / WINDOW
        self._tilt = _TILT * np.log2(centres / 1_000)

    def add(self, samples: npt.NDArray[np.int16]) -> None:
        """The next samples, shape (frames, 2)."""
        mono = samples[-WINDOW:].mean(axis=1, dtype=np.float32) / 32_768
        self._recent = np.concatenate((self._recent[len(mono) :], mono))

    def heights(self) -> Heights:
        """The bars as they stand now; each call is a frame of the picture later than the last."""
        amplitudes = np.abs(np.fft.rfft(self._recent * self._hann)) * (4 / WINDOW)  # 1.0 is a sine at full scale
        loudest = np.array([amplitudes[bins].max() for bins in self._bins])
        level = 20 * np.log10(np.maximum(loudest, 1e-9)) + self._tilt
        now = np.clip((level - _FLOOR) / (_CEILING - _FLOOR), 0, 1).astype(np.float32)
        self._heights = np.maximum(now, self._heights - self._fall)
        return self._heights
