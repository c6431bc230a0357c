"""Tape: soft saturation, and the wavering of its speed."""

from __future__ import annotations

import math

import numpy as np

from radio.audio.curve import Curve, Signal
from radio.types import GRID, SAMPLE_RATE, Frames

_WOW = ((0.21, 0.2), (0.53, 0.4), (1.09, 0.4))
_FLUTTER = ((3.1, 0.4), (4.7, 0.4), (5.9, 0.2))
"""Frequency in Hz and share of the bend; together they repeat after 100 s at the earliest."""
_DEPTH_PER_LINE = 0.5 * GRID / SAMPLE_RATE
"""The depth moves by half its range a second: a faster turn would itself be heard as a slide of pitch."""


def saturate(x: Signal, drive: float) -> Signal:
    """Round the peaks off: steep 1 at silence, and never above 1 / drive.

    A rational function of the third order, that of tanh's continued fraction, which meets ±1 with no slope at ±3:
    plain multiplications and a division, so that every sample comes out the same wherever it stands in its block.

    Args:
        x: (2, frames).
        drive: linear gain into the curve, which is divided out again behind it; > 0.

    Source: Lambert's continued fraction for tanh, cut after the second step: x (27 + x²) / (27 + 9 x²).
    """
    driven = np.clip(x * drive, -3, 3)
    square = driven * driven
    return driven * (27 + square) / ((27 + 9 * square) * drive)


class Tape:
    """Wow and flutter: the signal is read from a delay that swings slowly, and so bends its pitch.

    A sine of A frames at f Hz bends pitch by at most 2π f A / 48,000, which gives each part's A for its share of the
    cents. Between frames a cubic through four of them is read (Lagrange). The delay is drawn on the grid of 64 frames.

    Args:
        wow: largest slow bend in cents at full depth.
        flutter: largest quick bend in cents at full depth.
    """

    def __init__(self, wow: float, flutter: float) -> None:
        cents = [(hertz, share * wow) for hertz, share in _WOW]
        cents += [(hertz, share * flutter) for hertz, share in _FLUTTER]
        self._swings = [(2 * math.pi * hertz * GRID / SAMPLE_RATE, _swing(hertz, bend)) for hertz, bend in cents]
        """Radians per grid line and frames to either side."""
        reach = math.ceil(sum(swing for _, swing in self._swings)) + 2
        self.latency: Frames = -(-reach // GRID) * GRID
        """The middle of the delay: a whole number of grid blocks."""
        self.history: Signal = np.zeros((2, 2 * self.latency))
        self._delay = Curve(self.latency)
        self._depth = 0.0
        self._line = 0

    def process(self, x: Signal, position: Frames, depth: float) -> Signal:
        """Delay (2, frames), which begin at the absolute frame `position`; `depth` 0–1 counts from the next line."""
        frames = x.shape[1]
        past = self.history.shape[1]
        line = np.concatenate((self.history, x), axis=1)
        self.history = line[:, frames:]
        delay = self._delay.draw(position, frames, lambda: self._next_delay(depth))
        whole = np.floor(delay)
        u = delay - whole
        at = (np.arange(past, past + frames) - whole).astype(np.intp)
        return (
            (u * (u - 1) * (2 - u) / 6) * line.take(at + 1, axis=1)
            + ((u + 1) * (u - 1) * (u - 2) / 2) * line.take(at, axis=1)
            + ((u + 1) * u * (2 - u) / 2) * line.take(at - 1, axis=1)
            + ((u + 1) * u * (u - 1) / 6) * line.take(at - 2, axis=1)
        )

    def _next_delay(self, depth: float) -> float:
        """The delay at the next grid line, in frames."""
        self._depth += min(max(depth - self._depth, -_DEPTH_PER_LINE), _DEPTH_PER_LINE)
        self._line += 1
        swing = sum([reach * math.sin(radians * self._line) for radians, reach in self._swings])
        return self.latency + self._depth * swing


def _swing(hertz: float, cents: float) -> float:
    """How many frames a sine delay at `hertz` must swing to either side to bend pitch by `cents`."""
    return (2 ** (cents / 1200) - 1) * SAMPLE_RATE / (2 * math.pi * hertz)
