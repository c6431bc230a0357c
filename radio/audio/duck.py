"""Ducking: each kick drum briefly lowers the level of other layers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from radio.audio.curve import LINES, Curve, Lines
from radio.types import GRID, SAMPLE_RATE, Frames, Seconds

_ATTACK_LINES = 4
"""Grid blocks from the kick to the full dip: 5 ms, as long as the kick's own attack."""


class Duck:
    """A gain that falls at each kick and then recovers.

    Args:
        depth: attenuation at the lowest point, in dB.
        release: time constant of the recovery.
        hold: time at the lowest point, before the recovery.
    """

    def __init__(self, depth: float, release: Seconds, hold: Seconds = 0.0) -> None:
        self._depth = depth
        self._decay = math.exp(-GRID / SAMPLE_RATE / release)
        self._curve = Curve(1.0)
        self._dip = 0.0
        self._hold = round(hold * SAMPLE_RATE / GRID)
        self._attack = 0
        self._held = 0
        """Number of lines for which the gain will still stay at its lowest point."""
        self._pending = False
        """True if a kick came after the last line of the previous block; it takes effect at this block's first line."""

    def draw(self, kicks: Sequence[Frames]) -> float | Lines:
        """Return the gain for the next block.

        Args:
            kicks: onsets of kicks, in frames within the block; a kick off the grid takes effect at the next line.
        """
        kick_lines = {-(-kick // GRID) for kick in kicks}
        if self._pending:
            kick_lines.add(0)
        self._pending = LINES in kick_lines
        if not kick_lines and not self._dip:
            return self._curve.draw([1.0] * LINES)
        dips = []
        for line in range(LINES):
            if line in kick_lines:
                self._attack = _ATTACK_LINES
            if self._attack:
                self._dip += (1 - self._dip) / self._attack
                self._attack -= 1
                self._held = self._hold
            elif self._held:
                self._held -= 1
            else:
                self._dip = self._dip * self._decay if self._dip > 1e-4 else 0.0
            dips.append(self._dip)
        return self._curve.draw(10 ** (-self._depth * np.array(dips) / 20))
