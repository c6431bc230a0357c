"""A test for music recorded without a click: its onsets fall anywhere within the beats of its file."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Final

import numpy as np

_DIVISIONS: Final = (1, 2, 3, 4)
"""Subdivisions of a beat that notes may prefer: beats, eighths, triplets, sixteenths."""

_FEWEST: Final = 24
"""Fewest onsets that the test can judge."""

_CHANCE: Final = 1e-4
"""Probability that onsets without a beat pass the test."""


def follows_beats(onsets: Sequence[float]) -> bool:
    """Return False if onsets, in beats, are no closer to the beats and their subdivisions than random times are.

    Tests whether the phases within the beat are uniform (Rayleigh's test: Mardia & Jupp, "Directional Statistics",
    2000, section 6.3.1), once for each subdivision. Fewer than 24 onsets pass.
    """
    distinct = np.unique(np.asarray(onsets, np.float64))
    if len(distinct) < _FEWEST:
        return True
    strongest = max(abs(np.exp(2j * np.pi * division * distinct).mean()) for division in _DIVISIONS)
    return bool(len(distinct) * strongest**2 > -log(_CHANCE / len(_DIVISIONS)))
