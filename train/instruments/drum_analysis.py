"""Fitting of a drum's modes, noise and stroke to a recording."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from scipy.signal import find_peaks

from train.instruments.analysis import band_levels, fit_note, refined
from train.instruments.note import FLOOR, TIMES, Note, level_curves, render, render_partials
from train.instruments.references import RATE, Signal
from train.instruments.stroke import fit_stroke, struck

_SPACING: Final = 60.0
"""Hz between modes that their windows separate."""
_PHASED: Final = 0.2
"""Seconds in which the phases of the modes are fitted; later their frequencies are not exact enough."""
_RIDGE: Final = 0.03
"""Regularization of that fit, as a share of the modes' mean energy."""
_SHIFTS: Final = (-20.0, 6.0)
"""dB: the limits by which that fit changes a mode's level at its start."""
_SHIFTED_UNTIL: Final = 0.4
"""Seconds until the change of the level has faded out."""
_EXCESS: Final = 3.0
"""dB by which noise may exceed the measured level: the mean of levels in dB is lower than the mean power."""
_ROUNDS: Final = 2
_FIRST_SEED: Final = 11


def noise_seed(take: int) -> int:
    """Return the seed of the noise of a take: the stroke of a hit is fitted to this noise."""
    return _FIRST_SEED + take


def fit_drum(note: Signal, seed: int, *, rings: bool = False) -> Note:
    """Return the parameters that reproduce a recorded hit.

    Args:
        note: an aligned recording.
        seed: the seed of the noise.
        rings: True if the pad rings on in a loop. Noise above the measured level would increase its distance.
    """
    excess = 0.0 if rings else _EXCESS
    recorded = len(note) / RATE
    padded = np.pad(note, (0, max(0, round((TIMES[-1] + 0.4) * RATE) - len(note))))
    fitted = fit_note(note, 1.0, drum_modes(note), spacing=_SPACING, seed=seed)
    for _ in range(_ROUNDS):
        fitted = _with_phases(fitted, padded)
        fitted = _with_noise_between(fitted, padded, recorded)
        fitted = replace(refined(fitted, padded, recorded, seed, excess=excess), stroke=None)
        fitted = replace(fitted, stroke=fit_stroke(padded, render(fitted, 0.2, seed=seed)))
    return fitted


def drum_modes(note: Signal, count: int = 20, highest: float = 2000.0) -> Signal:
    """Return the frequencies in Hz of the strongest peaks in the spectrum of a drum."""
    size = 1 << 17
    length = min(len(note), round(0.7 * RATE))
    window = np.hanning(2 * length)[length:]
    levels = 20 * np.log10(np.abs(np.fft.rfft(note[:length] * window, size)) + 1e-9)
    hertz = np.arange(len(levels)) * RATE / size
    levels[(hertz < 25) | (hertz > highest)] = -200
    peaks, _ = find_peaks(levels, prominence=4, distance=int(6 * size / RATE))
    strongest = sorted(peaks, key=lambda peak: -levels[peak])[:count]
    return np.sort(hertz[strongest])


def _with_phases(fitted: Note, note: Signal) -> Note:
    """Return a note whose modes have the phases, and at first the levels, that reproduce a recording best."""
    length = round(_PHASED * RATE)
    moments = np.arange(length) / RATE
    curves = 10 ** (level_curves(fitted.partials, moments) / 20)
    turns = 2 * np.pi * fitted.frequency * fitted.ratios[:, None] * moments
    waves = np.concatenate([curves * np.cos(turns), curves * np.sin(turns)])
    waves = np.array([struck(wave, fitted.stroke) for wave in waves])
    products = waves @ waves.T
    ridge = _RIDGE * np.trace(products) / len(products) * np.eye(len(products))
    cosines, sines = np.split(np.linalg.solve(products + ridge, waves @ note[:length]), 2)
    shifts = np.clip(10 * np.log10(cosines**2 + sines**2 + 1e-12), *_SHIFTS)
    fading = np.interp(TIMES, [_PHASED, _SHIFTED_UNTIL], [1, 0])
    partials = np.maximum(fitted.partials + shifts[:, None] * fading, FLOOR)
    return replace(fitted, phases=np.arctan2(cosines, sines), partials=partials)


def _with_noise_between(fitted: Note, note: Signal, recorded: float) -> Note:
    """Return a note whose noise is what a recording has beside the modes, while their phases agree."""
    rest = band_levels(note - render_partials(fitted, len(note) / RATE), recorded)
    noise = np.where(TIMES < _PHASED, np.minimum(fitted.noise, rest), fitted.noise)
    return replace(fitted, noise=noise)
