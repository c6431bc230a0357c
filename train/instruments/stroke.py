"""The stroke of a drum: gains that shape the first 40 ms of a hit in four bands.

The levels of partials and noise are measured over at least 23 ms, and noise is made in windows of 12 ms. Both are too
slow for a stick, which strikes within a millisecond. These gains restore the energy of each moment.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.signal import butter, sosfiltfilt

from train.instruments.references import RATE, Signal

_MILLISECONDS: Final = (*range(13), 14, 16, 18, 20, 23, 26, 30, 35, 40)
STROKE_TIMES: Final = np.array(_MILLISECONDS) / 1000
"""Seconds after the start at which gains are stored; between them a gain is linear in dB. The last is 0 dB."""
STROKE_EDGES: Final = (300.0, 1200.0, 4800.0)
"""Hz between the bands."""

_WINDOWS: Final = (0.008, 0.004, 0.002, 0.002)
"""Seconds over which energy is measured in each band: at least a period of most of its waves."""
_ROUNDS: Final = 5
_LOWEST: Final = -40.0
_HIGHEST: Final = 15.0
"""dB: the limits of a gain."""
_SILENT: Final = 1e-6
"""Share of a band's highest energy that counts as silence."""

Gains = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
"""Gains in dB, (bands, times)."""


def split(sound: Signal, rate: int = RATE) -> Signal:
    """Return the bands of a sound, (bands, samples), which add up to it."""
    bands, rest = [], sound
    for edge in STROKE_EDGES:
        low = sosfiltfilt(butter(2, edge, fs=rate, output="sos"), rest)
        bands.append(low)
        rest = rest - low
    return np.array([*bands, rest])


def struck(sound: Signal, gains: Gains | None, rate: int = RATE) -> Signal:
    """Return a sound with the gains of a stroke; without gains, the sound itself."""
    if gains is None:
        return sound
    moments = np.arange(len(sound)) / rate
    curves = [10 ** (np.interp(moments, STROKE_TIMES, row) / 20) for row in gains]
    return np.asarray((split(sound, rate) * curves).sum(axis=0))


def fit_stroke(goal: Signal, sound: Signal) -> Gains:
    """Return the gains that give a sound the energy of a recording in each band and at each time."""
    wanted = _energy(goal)
    gains = np.zeros((len(STROKE_EDGES) + 1, len(STROKE_TIMES)))
    for _ in range(_ROUNDS):
        present = _energy(struck(sound, gains))
        gains = np.clip(gains + 10 * np.log10(wanted / present), _LOWEST, _HIGHEST)
        gains[:, -1] = 0
    return gains


def _energy(sound: Signal) -> Signal:
    """Return the energy of each band around each time, (bands, times)."""
    rows = []
    for band, width in zip(split(sound[: RATE // 5]), _WINDOWS, strict=True):
        window = np.hanning(round(width * RATE))
        power = np.convolve(band**2, window / window.sum(), mode="same")
        rows.append(np.maximum(np.interp(STROKE_TIMES * RATE, np.arange(len(power)), power), _SILENT * power.max()))
    return np.array(rows)
