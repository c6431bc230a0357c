"""Spectrum and stereo width of a passage."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from scipy import signal

from radio.types import SAMPLE_RATE, Block
from train.metrics.mix.levels import Array, decibels

BANDS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "sub 20-60": (20, 60), "low 60-120": (60, 120), "120-250": (120, 250), "250-500": (250, 500),
        "500-1k": (500, 1_000), "1-2k": (1_000, 2_000), "2-4k": (2_000, 4_000), "4-8k": (4_000, 8_000),
        "8-16k": (8_000, 16_000),
    }
)  # fmt: skip
"""Limits of the bands in Hz."""
THIRDS: Final = 1_000 * 2.0 ** (np.arange(-16, 13) / 3)
"""Centers of the third octaves in Hz."""

_SIZE: Final = 18_000
_SIDES: Final = {"low": (20, 150), "mid": (150, 2_000), "high": (2_000, 12_000)}
_LOWEST, _HIGHEST = 20.0, 16_000.0


def spectrum_figures(audio: Block) -> dict[str, float]:
    """Return the figures of the spectrum and of the width of a passage, (frames, 2) at 48 kHz."""
    exact = audio.astype(np.float64)
    middle, side = exact.mean(axis=1), (exact[:, 0] - exact[:, 1]) / 2
    hertz, power = signal.welch(middle, SAMPLE_RATE, nperseg=_SIZE)
    _, power_of_side = signal.welch(side, SAMPLE_RATE, nperseg=_SIZE)
    whole = power[(hertz > _LOWEST) & (hertz < _HIGHEST)].sum()

    def share(low: float, high: float) -> float:
        return float(decibels(power[(hertz >= low) & (hertz < high)].sum() / whole))

    def width(low: float, high: float) -> float:
        chosen = (hertz >= low) & (hertz < high)
        return float(decibels(power_of_side[chosen].sum() / max(power[chosen].sum(), 1e-14)))

    thirds = np.array([share(center * 2 ** (-1 / 6), center * 2 ** (1 / 6)) for center in THIRDS])
    sloping = (THIRDS >= 100) & (THIRDS <= 8_000)
    return {
        **{f"band {name}": share(*limits) for name, limits in BANDS.items()},
        **_rolloffs(hertz, power),
        "tilt_db_per_octave": float(np.polyfit(np.log2(THIRDS[sloping]), thirds[sloping], 1)[0]),
        "side_mid_db": float(decibels(np.square(side).mean() / max(float(np.square(middle).mean()), 1e-14))),
        "correlation": float(np.asarray(np.corrcoef(exact.T))[0, 1]),
        **{f"side_mid_{name}_db": width(*limits) for name, limits in _SIDES.items()},
        **{f"third octave at {center:.0f} Hz": level for center, level in zip(THIRDS, thirds.tolist(), strict=True)},
    }


def _rolloffs(hertz: Array, power: Array) -> dict[str, float]:
    above = hertz > _LOWEST
    hertz, power = hertz[above], power[above]
    total = np.cumsum(power) / power.sum()
    loud = hertz[decibels(power) > float(decibels(power.max())) - 60]
    return {
        "centroid_power": float((hertz * power).sum() / power.sum()),
        **{f"rolloff{percent}": float(hertz[np.searchsorted(total, percent / 100)]) for percent in (50, 85, 95, 99)},
        "bandwidth_-60dB": float(loud.max()),
    }
