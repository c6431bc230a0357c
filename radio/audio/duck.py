"""The dip that each kick drum presses into keys and bass."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from radio.audio.curve import LINES, Curve, Lines
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
        self._late = False
        """Whether a kick fell after the last line of the block before, and so counts from this one's first line."""

    def draw(self, kicks: Sequence[Frames]) -> float | Lines:
        """The gain for the next block.

        Args:
            kicks: frames within the block where a kick sounds; one off the grid counts from the next line.
        """
        struck = {-(-kick // GRID) for kick in kicks}
        if self._late:
            struck.add(0)
        self._late = LINES in struck
        if not struck and not self._dip:
            return self._curve.draw([1.0] * LINES)
        dips = []
        for line in range(LINES):
            if line in struck:
                self._attack = _ATTACK_LINES
            if self._attack:
                self._dip += (1 - self._dip) / self._attack
                self._attack -= 1
            else:
                self._dip = self._dip * self._keep if self._dip > 1e-4 else 0.0
            dips.append(self._dip)
        return self._curve.draw(10 ** (-self._depth * np.array(dips) / 20))
