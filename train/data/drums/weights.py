"""Weights of drum pieces in training: styles and tempos that lo-fi stations play are read more often."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from train.data.corpus.groove import DrumPerformance

STYLES: Final[Mapping[str, float]] = MappingProxyType({"hiphop": 3.0, "soul": 3.0, "funk": 2.0, "jazz": 1.5})
"""The weights of styles that stations play. Hip-hop and soul are scarce; with more weight they would be memorized."""

TEMPOS: Final = (60.0, 110.0)
"""The range of lo-fi tempos in beats per minute, limits included."""

AT_TEMPO: Final = 1.5
"""The factor for grooves (not fills) at such a tempo."""


def weight(performance: DrumPerformance) -> float:
    """Return the weight of `performance`; a fill or fast groove in another style has 1."""
    slow = TEMPOS[0] <= performance.tempo <= TEMPOS[1]
    return STYLES.get(performance.style, 1.0) * (AT_TEMPO if slow and not performance.fill else 1.0)
