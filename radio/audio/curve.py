"""Moving parameters, set at each line of the absolute grid of 64 frames and interpolated linearly between lines.

A linear change over 64 frames does not click, and the lines are few enough to compute their values in Python.
"""

from __future__ import annotations

import math
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
    """A value that moves linearly between grid lines.

    Args:
        value: the initial value.
    """

    def __init__(self, value: float) -> None:
        self.end = value

    def draw(self, ends: Lines | Sequence[float]) -> float | Lines:
        """Return the values for the next block, whose grid blocks end at the values in `ends`.

        Returns:
            (MIX_BLOCK,) float64, or a single number if the value does not move.
        """
        points = np.concatenate(((self.end,), ends))
        self.end = float(points[-1])
        if (points == self.end).all():
            return self.end
        starts = points[:-1, None]
        values: Lines = starts + (points[1:, None] - starts) * _SLOPE
        return values.ravel()


class Ramp:
    """A value that approaches its target at a constant rate; a small change takes a whole block.

    So a value with a new target for each block moves evenly; short moves separated by pauses would be audible.

    Args:
        value: the initial value.
        pace: the largest change per second.
    """

    def __init__(self, value: float, pace: float) -> None:
        self.value = value
        """The value at the end of the latest block."""
        self._curve = Curve(value)
        self._step = pace * GRID / SAMPLE_RATE

    def approach(self, target: float) -> Lines:
        """Move toward `target` for a block and return the value at the end of each of its grid blocks."""
        missing = target - self.value
        step = math.copysign(min(self._step, abs(missing) / LINES), missing)
        ends: Lines = np.asarray(self.value + step * _STEPS, np.float64)
        if abs(missing) <= self._step * LINES:
            ends[-1] = target
        self.value = float(ends[-1])
        return ends

    def draw(self, target: float) -> float | Lines:
        """Move toward `target` for a block and return its values, as `Curve.draw` does."""
        if self.value == self._curve.end == target:
            return target
        return self._curve.draw(self.approach(target))
