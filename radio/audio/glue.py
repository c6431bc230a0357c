"""Glue: a slow compressor on the played layers that evens out loud and quiet passages."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from radio.audio.curve import LINES, Curve, Lines, Signal
from radio.types import MIX_BLOCK, SAMPLE_RATE

_BLOCK: Final = MIX_BLOCK / SAMPLE_RATE
_RISE: Final = 1 - math.exp(-_BLOCK / 0.4)
"""Share of the distance to a higher level covered per block: a time constant of 0.4 s, so that drum hits pass."""
_FALL: Final = 1 - math.exp(-_BLOCK / 1.6)
_THRESHOLD: Final = -30.0
"""Threshold in dBFS RMS: below the music, above its decaying tails."""
_PIVOT: Final = -20.0
"""RMS in dBFS of a typical mix, whose level does not change."""
_STEPS: Final = np.arange(1, LINES + 1) / LINES


class Glue:
    """A compressor whose gain follows the level of the last second.

    Args:
        share: the share of a level difference that is removed, 0–1.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._level = _PIVOT
        self._gain = Curve(1.0)

    def draw(self, mix: Signal) -> float | Lines:
        """Return the gain for a block, (2, MIX_BLOCK), from its level and that of earlier blocks."""
        power = float(np.vdot(mix, mix)) / mix.size
        level = max(10 * math.log10(power + 1e-12), _THRESHOLD)
        self._level += (level - self._level) * (_RISE if level > self._level else _FALL)
        target = 10 ** (self._share * (_PIVOT - self._level) / 20)
        ends = self._gain.end + (target - self._gain.end) * _STEPS
        return self._gain.draw(ends)
