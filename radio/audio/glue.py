"""Glue: a slow compressor on the played layers, which brings loud and quiet passages nearer to each other."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from radio.audio.curve import LINES, Curve, Lines, Signal
from radio.types import MIX_BLOCK, SAMPLE_RATE

_BLOCK: Final = MIX_BLOCK / SAMPLE_RATE
_RISE: Final = 1 - math.exp(-_BLOCK / 0.4)
"""Share of the distance to a higher level that is covered in a block: a time constant of 0.4 s, so that drums pass."""
_FALL: Final = 1 - math.exp(-_BLOCK / 1.6)
_THRESHOLD: Final = -30.0
"""RMS in dBFS above which the compressor works: below the music, above what rings after it."""
_PIVOT: Final = -20.0
"""RMS in dBFS of a usual mix, which keeps its level."""
_STEPS: Final = np.arange(1, LINES + 1) / LINES


class Glue:
    """A compressor whose gain follows the level of the last second.

    Args:
        share: the part of a difference in level that is taken away, 0–1.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._level = _PIVOT
        self._gain = Curve(1.0)

    def draw(self, mix: Signal) -> float | Lines:
        """Return the gain for a block, (2, MIX_BLOCK), from its level and those before it."""
        power = float(np.vdot(mix, mix)) / mix.size
        level = max(10 * math.log10(power + 1e-12), _THRESHOLD)
        self._level += (level - self._level) * (_RISE if level > self._level else _FALL)
        target = 10 ** (self._share * (_PIVOT - self._level) / 20)
        ends = self._gain.end + (target - self._gain.end) * _STEPS
        return self._gain.draw(ends)
