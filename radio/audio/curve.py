"""Values that move: given at every line of the absolute grid of 64 frames and joined by straight lines.

A value at a grid line depends on the lines before it only, so that curves are bit-identical however a signal is split;
and a straight line over 64 frames makes no click.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from radio.types import GRID, SAMPLE_RATE, Frames

Signal = npt.NDArray[np.float64]
"""Numbers for each frame inside the mixer, float64: audio (2, frames) with full scale ±1.0, or gains (frames,)."""

_SLOPE = np.arange(GRID) / GRID


def lines(position: Frames, frames: Frames) -> int:
    """How many grid lines lie in the `frames` frames from `position` on."""
    return -(-(position + frames) // GRID) - -(-position // GRID)


class Curve:
    """The straight lines: keeps the block of 64 frames that is being played.

    Args:
        value: where it begins.
    """

    def __init__(self, value: float) -> None:
        self.start = self.end = value

    def draw(self, position: Frames, frames: Frames, following: Callable[[], float]) -> float | Signal:
        """The values for the `frames` frames from `position` on.

        Args:
            position: absolute frame; calls follow one another without a gap.
            frames: how many.
            following: called once for each grid line in the range: the value to be reached at the next one.

        Returns:
            (frames,) float64, or one number where nothing moves.
        """
        starts, ends = ([], []) if position % GRID == 0 else ([self.start], [self.end])
        for _ in range(lines(position, frames)):
            self.start, self.end = self.end, following()
            starts.append(self.start)
            ends.append(self.end)
        if starts == ends and (not starts or min(starts) == max(starts)):
            return self.start
        start, end = np.array(starts), np.array(ends)
        values: Signal = (start[:, None] + (end - start)[:, None] * _SLOPE).ravel()
        first = position % GRID
        return values[first : first + frames]


class Ramp:
    """A value that goes to where it is sent at a steady pace.

    Args:
        value: where it begins.
        pace: how far it goes at most in a second.
    """

    def __init__(self, value: float, pace: float) -> None:
        self._curve = Curve(value)
        self._step = pace * GRID / SAMPLE_RATE

    def draw(self, position: Frames, frames: Frames, target: float) -> float | Signal:
        """As `Curve.draw`, going to `target`, which counts from the next grid line on."""
        if self._curve.start == self._curve.end == target:
            return target

        def following() -> float:
            value = self._curve.end
            return value + min(max(target - value, -self._step), self._step)

        return self._curve.draw(position, frames, following)
