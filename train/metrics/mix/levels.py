"""Loudness, peaks and levels of a passage."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import signal

from radio.errors import StreamError
from radio.types import SAMPLE_RATE, Block

Array = npt.NDArray[np.float64]

_WEIGHTING: Final = np.array(
    [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
)
"""K-weighting at 48 kHz, second-order sections (ITU-R BS.1770-4, annex 1)."""
_SHORT_TERM, _MOMENTARY = 3.0, 0.4
_GATE: Final = -70.0
_FRAME: Final = SAMPLE_RATE // 20


def decibels(power: Array | float) -> Array:
    """Return powers in dB, at least -140."""
    return np.asarray(10 * np.log10(np.maximum(power, 1e-14)))


def level_figures(audio: Block) -> dict[str, float]:
    """Return the figures of loudness and level of a passage, (frames, 2) at 48 kHz, of at least six seconds.

    Source: EBU Tech 3342 for the loudness range, over the whole passage with windows half a second apart.

    Raises:
        StreamError: The passage is silent.
    """
    exact = audio.astype(np.float64)
    weighted = np.square(signal.sosfilt(_WEIGHTING, exact, axis=0)).sum(axis=1)
    short = _lufs(_gated(_means(weighted, _SHORT_TERM, 0.5), -20))
    rms = float(np.sqrt(np.square(exact).mean()))
    momentary = _means(weighted, _MOMENTARY, 0.1)
    integrated, peak = float(_lufs(_gated(momentary, -10).mean())), _true_peak(exact)
    three = SAMPLE_RATE * 3
    peaks = np.abs(exact[: len(exact) // three * three]).reshape(-1, 2 * three).max(axis=1)
    mono = exact.mean(axis=1)
    frames = np.sqrt(np.square(mono[: len(mono) // _FRAME * _FRAME]).reshape(-1, _FRAME).mean(axis=1))
    return {
        "lufs": integrated,
        "lra": float(np.percentile(short, 95) - np.percentile(short, 10)),
        "short_term_sd": float(short.std()),
        "true_peak": peak,
        "plr": peak - integrated,
        "crest": 20 * float(np.log10(np.abs(exact).max() / rms)),
        "dc": float(np.abs(exact.mean(axis=0)).max()),
        "psr_like": float(np.median(20 * np.log10(np.maximum(peaks, 1e-9))) - np.median(_lufs(momentary))),
        "floor_p5_re_rms_db": 20 * float(np.log10((np.percentile(frames, 5) + 1e-9) / rms)),
        "frame_p95_p50_db": 20 * float(np.log10(np.percentile(frames, 95) / max(float(np.median(frames)), 1e-9))),
    }


def _lufs(power: Array | float) -> Array:
    return -0.691 + decibels(power)


def _gated(powers: Array, relative: float) -> Array:
    """Return the powers above -70 LUFS, and above the mean of these plus `relative` dB."""
    powers = powers[_lufs(powers) > _GATE]
    if not len(powers):
        raise StreamError(f"a passage is silent: nothing in it is louder than {_GATE:g} LUFS")
    return powers[_lufs(powers) > _lufs(powers.mean()) + relative]


def _true_peak(audio: Array) -> float:
    """Return the highest peak at four-fold oversampling, in dBTP."""
    parts = range(0, len(audio), 10 * SAMPLE_RATE)
    peaks = [np.abs(signal.resample_poly(audio[at : at + 10 * SAMPLE_RATE], 4, 1, axis=0)).max() for at in parts]
    return 20 * float(np.log10(max(peaks) + 1e-12))


def _means(values: Array, seconds: float, step: float) -> Array:
    """Return the means of windows of `seconds`, `step` seconds apart."""
    length, hop = round(seconds * SAMPLE_RATE), round(step * SAMPLE_RATE)
    total = np.concatenate(([0.0], np.cumsum(values)))
    starts = np.arange(0, len(values) - length + 1, hop)
    return np.asarray((total[starts + length] - total[starts]) / length)
