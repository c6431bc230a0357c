"""The log-mel spectrogram that the tagger reads: 96 bands of mono audio at 16 kHz, one frame every 16 ms."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.types import SAMPLE_RATE, Block

RATE: Final = 16_000
"""Sample rate in Hz."""
BANDS: Final = 96
HOP: Final = 256
"""Samples between frames."""
_WINDOW: Final = 512
_FACTOR: Final = SAMPLE_RATE // RATE
_HALF_TAPS: Final = 192
"""Taps of the low-pass on each side, at 48 kHz."""
_CUTOFF: Final = 7_650
"""Hz: -6 dB of the low-pass. Above 8 kHz it is about 80 dB down."""
_LINEAR: Final = 200 / 3
"""Hz per mel below 1 kHz."""
_KNEE: Final = 1_000.0
_OCTAVE: Final = np.log(6.4) / 27
"""Natural logarithm of the ratio of neighboring mels above 1 kHz."""

Array = npt.NDArray[np.float32]


class Decimator:
    """A converter from 48 kHz stereo to 16 kHz mono, for audio that arrives in blocks of any size.

    The low-pass is a windowed sinc (Kaiser, β = 8) without delay: output sample `i` is centered on frame `3·i`.
    """

    def __init__(self) -> None:
        places = np.arange(-_HALF_TAPS, _HALF_TAPS + 1)
        taps = np.sinc(2 * _CUTOFF / SAMPLE_RATE * places) * np.kaiser(len(places), 8.0)
        self._taps = (taps / taps.sum()).astype(np.float32)
        self._pending: Array = np.zeros(_HALF_TAPS, np.float32)

    def process(self, block: Block) -> Array:
        """Return the samples that the next block, (frames, 2), completes."""
        return self._advance(block.mean(axis=1, dtype=np.float32))

    def finish(self) -> Array:
        """Return the last samples, as if silence followed."""
        return self._advance(np.zeros(_HALF_TAPS, np.float32))

    def _advance(self, mono: Array) -> Array:
        line = np.concatenate((self._pending, mono))
        count = max(0, (len(line) - len(self._taps)) // _FACTOR + 1)
        self._pending = line[count * _FACTOR :]
        if not count:
            return np.zeros(0, np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(line, len(self._taps))[::_FACTOR][:count]
        return np.asarray(windows @ self._taps, np.float32)


def log_mel(mono: Array) -> Array:
    """Return the spectrogram of mono audio at 16 kHz, (frames, 96): log10(1 + 10,000 · power).

    It equals librosa's `melspectrogram(sr=16000, n_fft=512, hop_length=256, n_mels=96)` as musicnn uses it: frames are
    centered on multiples of 256 samples, with silence around the audio, a Hann window, and Slaney's mel bands.
    """
    padded = np.pad(mono, _WINDOW // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP]
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)
    out = np.empty((len(windows), BANDS), np.float32)
    for start in range(0, len(windows), 1_024):  # a matrix of all windows would need twice the memory of the audio
        spectrum = np.fft.rfft(windows[start : start + 1_024] * hann, axis=1)
        power = np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)
        out[start : start + 1_024] = power @ _mel_filters()
    return np.log10(10_000 * out + 1)


@cache
def _mel_filters() -> Array:
    """Return triangles of equal area, (frequencies, bands).

    Source: Slaney, "Auditory Toolbox" (Interval Research, 1998): linear below 1 kHz, logarithmic above.
    """
    top = _KNEE / _LINEAR + np.log(RATE / 2 / _KNEE) / _OCTAVE
    mels = np.linspace(0, top, BANDS + 2)
    edges = np.where(mels * _LINEAR < _KNEE, mels * _LINEAR, _KNEE * np.exp(_OCTAVE * (mels - _KNEE / _LINEAR)))
    hertz = np.fft.rfftfreq(_WINDOW, 1 / RATE)[:, None]
    rising = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(triangles * 2 / (edges[2:] - edges[:-2]), np.float32)
