"""Figures of real lo-fi, measured for this project: quartiles of keyboard features, and the goals of a station.

The quartiles are of 131 windows of four bars from 112 lo-fi piano and e-piano loops (`keyboard_features`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

QUARTILES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "notes a beat": (1.312, 2.969),
        "onsets a beat": (0.625, 1.344),
        "polyphony": (0.922, 5.070),
        "polyphony, SD": (0.817, 1.654),
        "pitch classes": (0.852, 3.859),
        "share of silence": (0.0, 0.578),
        "mean pitch": (58.481, 67.828),
        "pitch, SD": (6.680, 10.109),
        "lowest pitch": (40.0, 50.0),
        "highest pitch": (70.5, 83.0),
        "pitch-class entropy": (2.469, 2.740),
        "velocity": (61.0, 82.126),
        "velocity spread": (0.0, 13.318),
        "similarity of bars": (0.086, 0.381),
        "most alike bars": (0.255, 0.971),
        "off the sixteenths": (0.002, 0.152),
        "median note length, beats": (0.417, 2.594),
    }
)
"""The first and the third quartile of each feature."""

SPREADS: Final[Mapping[str, float]] = MappingProxyType({name: high - low for name, (low, high) in QUARTILES.items()})
"""Interquartile ranges."""
