"""How often training reads a drum piece: what a lo-fi station asks for comes more often than what it never plays."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from train.data.corpus.groove import DrumPerformance

STYLES: Final[Mapping[str, float]] = MappingProxyType({"hiphop": 3.0, "soul": 3.0, "funk": 2.0, "jazz": 1.5})
"""Styles that stations ask for; hip-hop and soul are scarce, so that more would only be learnt by heart."""

TEMPOS: Final = (60.0, 110.0)
"""Beats a minute of a lo-fi groove, both included."""

AT_TEMPO: Final = 1.5
"""By how much more a groove (no fill) at such a tempo is read."""


def weight(performance: DrumPerformance) -> float:
    """How often `performance` is read, beside a fill or a fast groove of a style that no station asks for."""
    slow = TEMPOS[0] <= performance.tempo <= TEMPOS[1]
    return STYLES.get(performance.style, 1.0) * (AT_TEMPO if slow and not performance.fill else 1.0)
