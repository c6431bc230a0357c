"""The distance between two notes: the mean difference of their log-mel spectrograms, in dB.

The spectrograms have 64 mel bands from 50 Hz to 12 kHz and cover the first two seconds from the attack, with levels
matched. A cell counts if either note is within 60 dB of the first note's loudest cell.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.signal import stft

from train.instruments.references import RATE, Signal

_SIZE: Final = 2048
_HOP: Final = 512
_SECONDS: Final = 2
_LEAD: Final = 200
"""Samples kept before the attack."""

Levels = npt.NDArray[np.float64]
"""Levels in dB, (bands, frames)."""


def mel_edges(count: int, low: float = 50.0, high: float = 12_000.0) -> Signal:
    """Return `count` frequencies in Hz, evenly spaced in mel from `low` to `high`."""
    first, last = (2595 * float(np.log10(1 + hertz / 700)) for hertz in (low, high))
    mels = np.linspace(first, last, count)
    return np.asarray(700 * (10 ** (mels / 2595) - 1))


def mel_bands(bands: int, size: int) -> Signal:
    """Return triangular weights, (bands, size // 2 + 1), for the power spectrum of `size` samples."""
    hertz = np.linspace(0, RATE / 2, size // 2 + 1)
    edges = mel_edges(bands + 2)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    return np.maximum(0, np.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle)))


_BANDS: Final = mel_bands(64, _SIZE)


def attack(note: Signal) -> int:
    """Return the first sample above a twentieth of the peak."""
    return int(np.argmax(np.abs(note) > 0.05 * np.abs(note).max()))


def mel_levels(note: Signal) -> Levels:
    """Return the log-mel spectrogram of a note, starting at its attack, at an RMS of 1 over two seconds."""
    length = _SECONDS * RATE
    note = np.pad(note[:length], (0, max(0, length - len(note))))
    note = np.roll(note, -max(0, attack(note) - _LEAD))
    note = note / np.sqrt((note**2).mean())
    power = np.abs(stft(note, RATE, nperseg=_SIZE, noverlap=_SIZE - _HOP)[2]) ** 2
    return np.asarray(10 * np.log10(np.maximum(_BANDS @ power, 1e-12)))


def distance(reference: Signal, note: Signal) -> float:
    """Return the distance of a note from a reference in dB, both at `RATE`."""
    return level_distance(mel_levels(reference), mel_levels(note))


def level_distance(reference: Levels, note: Levels) -> float:
    """Return the distance of two log-mel spectrograms in dB."""
    top = reference.max()
    audible = (reference > top - 60) | (note > top - 60)
    return float(np.abs(np.maximum(reference, top - 70) - np.maximum(note, top - 70))[audible].mean())
