"""A test for music that was recorded without a beat: its onsets fall anywhere in the beats of its file."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Final

import numpy as np

_DIVISIONS: Final = (1, 2, 3, 4)
"""Places in a beat that notes may prefer: beats, eighths, triplets, sixteenths."""

_FEWEST: Final = 24
"""Fewest onsets from which a statement is possible."""

_CHANCE: Final = 1e-4
"""Probability at which onsets without a beat would pass for such with one."""


def follows_beats(onsets: Sequence[float]) -> bool:
    """Return False where onsets, in beats, are no nearer to the beats and their divisions than chance would have them.

    Tests the uniformity of the phases in the beat (Rayleigh's test: Mardia & Jupp, "Directional Statistics", 2000,
    section 6.3.1), once for each division.
    """
    distinct = np.unique(np.asarray(onsets, np.float64))
    if len(distinct) < _FEWEST:
        return True
    strongest = max(abs(np.exp(2j * np.pi * division * distinct).mean()) for division in _DIVISIONS)
    return bool(len(distinct) * strongest**2 > -log(_CHANCE / len(_DIVISIONS)))
