"""Values that move: given at every line of the absolute grid of 64 frames and joined by straight lines.

A straight line over 64 frames makes no click, and there are few enough lines for their values to be worked out apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from radio.types import GRID, MIX_BLOCK, SAMPLE_RATE

Signal: TypeAlias = npt.NDArray[np.float32]
"""One block inside the mixer, float32: audio (channels, MIX_BLOCK) with full scale ±1.0, or gains (MIX_BLOCK,)."""
Lines: TypeAlias = npt.NDArray[np.float64]
"""A value at the end of each grid block of one block: (LINES,) float64."""

LINES = MIX_BLOCK // GRID
"""Grid blocks in a block."""

_SLOPE = np.arange(GRID) / GRID
_STEPS = np.arange(1, LINES + 1)


class Curve:
    """The straight lines: keeps the value at the line that comes next.

    Args:
        value: where it begins.
    """

    def __init__(self, value: float) -> None:
        self.end = value

    def draw(self, ends: Lines | Sequence[float]) -> float | Lines:
        """The values for one block, where each of its grid blocks ends at the value given in `ends`.

        Returns:
            (MIX_BLOCK,) float64, or one number where nothing moves.
        """
        reached = np.concatenate(((self.end,), ends))
        self.end = float(reached[-1])
        if (reached == self.end).all():
            return self.end
        starts = reached[:-1, None]
        values: Lines = starts + (reached[1:, None] - starts) * _SLOPE
        return values.ravel()


class Ramp:
    """A value that goes to where it is sent at a steady pace.

    Args:
        value: where it begins.
        pace: how far it goes at most in a second.
    """

    def __init__(self, value: float, pace: float) -> None:
        self.value = value
        """At the end of the latest block."""
        self._curve = Curve(value)
        self._step = pace * GRID / SAMPLE_RATE

    def approach(self, target: float) -> Lines:
        """The value at the end of each grid block of the next block, on its way to `target`."""
        reach = self._step * _STEPS
        ends: Lines = np.clip(target, self.value - reach, self.value + reach)
        self.value = float(ends[-1])
        return ends

    def draw(self, target: float) -> float | Lines:
        """The next block, as `Curve.draw`, going to `target`."""
        if self.value == self._curve.end == target:
            return target
        return self._curve.draw(self.approach(target))
