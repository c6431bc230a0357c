"""Width for mono instruments: a chorus and an auto-pan."""

from __future__ import annotations

import math

import numpy as np

from radio.audio.curve import LINES, Curve, Lines, Signal
from radio.audio.delay_line import read
from radio.types import GRID, MIX_BLOCK, SAMPLE_RATE, Frames

_MEAN: Frames = 480
"""Mean delay of a chorus voice: 10 ms, too short to be heard as an echo."""
_SWING = 96
"""Largest deviation from the mean: 2 ms."""
_RATE = 0.55
"""Rate of the chorus in Hz; a voice is detuned by at most 12 cents."""
_REACH: Frames = 640
"""Past frames that the chorus needs, a whole number of grid blocks."""


class Chorus:
    """Two delayed, slowly detuned copies of the middle, one on each side, with their delays in antiphase.

    Args:
        mix: level of the copies relative to the middle, 0–1.
    """

    def __init__(self, mix: float) -> None:
        self._mix = np.float32(mix)
        self._line = 0
        self._delays = Curve(_MEAN), Curve(_MEAN)
        self.past: Signal = np.zeros((1, _REACH), np.float32)

    def seek(self, position: Frames) -> None:
        """Set the absolute frame of the next block."""
        self._line = position // GRID

    def process(self, x: Signal) -> Signal:
        """Return the next block, (2, MIX_BLOCK), with the copies added."""
        swing = _SWING * _sines(self._line, _RATE)
        self._line += LINES
        line = np.concatenate((self.past, (x[:1] + x[1:]) * np.float32(0.5)), axis=1)
        self.past = line[:, MIX_BLOCK:]
        now = np.arange(_REACH, _REACH + MIX_BLOCK, dtype=np.float64)
        copies = [
            read(line, now - delay.draw(_MEAN + side * swing))
            for delay, side in zip(self._delays, (1, -1), strict=True)
        ]
        return x + self._mix * np.concatenate(copies)


class AutoPan:
    """A stereo tremolo: the sound moves between left and right, as an electric piano's vibrato does.

    Args:
        depth: 0 leaves the sound in the middle; at 1, each side falls silent in turn.
        rate: movements per second.
    """

    def __init__(self, depth: float, rate: float) -> None:
        self._depth, self._rate = depth, rate
        self._line = 0
        self._sides = Curve(1.0), Curve(1.0)

    def seek(self, position: Frames) -> None:
        """Set the absolute frame of the next block."""
        self._line = position // GRID

    def process(self, x: Signal) -> Signal:
        """Return the next block, (2, MIX_BLOCK), with the gains of both sides applied."""
        swing = self._depth * _sines(self._line, self._rate)
        self._line += LINES
        gains = [side.draw(1 + sign * swing) for side, sign in zip(self._sides, (1, -1), strict=True)]
        return x * np.array(gains, np.float32).reshape(2, -1)


def _sines(line: int, rate: float) -> Lines:
    """Return a sine of `rate` Hz at the end of each grid block of the block that begins at `line`."""
    lines = np.arange(line + 1, line + 1 + LINES)
    values: Lines = np.sin(lines * (2 * math.pi * rate * GRID / SAMPLE_RATE))
    return values
