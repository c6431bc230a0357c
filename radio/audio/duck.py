"""The dip that each kick drum presses into keys and bass."""

from __future__ import annotations

import math
from collections.abc import Sequence

from radio.audio.curve import Curve, Signal
from radio.types import GRID, SAMPLE_RATE, Frames, Seconds

_ATTACK_LINES = 4
"""Grid blocks from the kick to the full dip: 5 ms, as long as the kick's own attack."""


class Duck:
    """A gain that falls at each kick and comes back.

    Args:
        depth: how far it falls, dB.
        release: time constant of its return.
    """

    def __init__(self, depth: float, release: Seconds) -> None:
        self._depth = depth
        self._keep = math.exp(-GRID / SAMPLE_RATE / release)
        self._curve = Curve(1.0)
        self._dip = 0.0
        self._attack = 0
        self._kicks: list[Frames] = []

    def draw(self, position: Frames, frames: Frames, kicks: Sequence[Frames]) -> float | Signal:
        """The gain for the `frames` frames from `position` on.

        Args:
            position: absolute frame.
            frames: how many.
            kicks: absolute frames from `position` on where a kick sounds; one off the grid counts from the next line.
        """
        self._kicks = sorted([*self._kicks, *kicks])
        line = -(-position // GRID) * GRID

        def following() -> float:
            nonlocal line
            if self._kicks and self._kicks[0] <= line:
                self._attack = _ATTACK_LINES
                self._kicks = [kick for kick in self._kicks if kick > line]
            line += GRID
            if self._attack:
                self._dip += (1 - self._dip) / self._attack
                self._attack -= 1
            else:
                self._dip = self._dip * self._keep if self._dip > 1e-4 else 0.0
            return 10 ** (-self._depth * self._dip / 20)

        return self._curve.draw(position, frames, following)
