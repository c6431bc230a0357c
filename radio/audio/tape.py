"""Tape: soft saturation, and the wavering of its speed."""

from __future__ import annotations

import math

import numpy as np

from radio.audio.curve import LINES, Curve, Ramp, Signal
from radio.types import GRID, MIX_BLOCK, SAMPLE_RATE, Frames

_WOW = ((0.21, 0.2), (0.53, 0.4), (1.09, 0.4))
_FLUTTER = ((3.1, 0.4), (4.7, 0.4), (5.9, 0.2))
"""Frequency in Hz and share of the bend; together they repeat after 100 s at the earliest."""
_DEPTH_PACE = 0.5
"""The depth moves by half its range a second: a faster turn would itself be heard as a slide of pitch."""


def saturate(x: Signal, drive: float) -> Signal:
    """Round the peaks off: steep 1 at silence, and never above 1 / drive.

    A rational function of the third order, that of tanh's continued fraction, which meets ±1 with no slope at ±3.

    Args:
        x: (2, frames).
        drive: linear gain into the curve, which is divided out again behind it; > 0.

    Source: Lambert's continued fraction for tanh, cut after the second step: x (27 + x²) / (27 + 9 x²).
    """
    driven: Signal = np.clip(x * drive, -3, 3)
    square = driven * driven
    driven *= square + 27
    square *= 9 * drive
    square += 27 * drive
    driven /= square
    return driven


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
        self._swings = np.array([_swing(hertz, bend) for hertz, bend in cents])
        """Frames to either side."""
        self._turns = np.array([2 * math.pi * hertz * GRID / SAMPLE_RATE for hertz, _ in cents])
        """Radians per grid line."""
        reach = math.ceil(self._swings.sum()) + 2
        self.latency: Frames = -(-reach // GRID) * GRID
        """The middle of the delay: a whole number of grid blocks."""
        self.history: Signal = np.zeros((2, 2 * self.latency), np.float32)
        self._delay = Curve(self.latency)
        self._depth = Ramp(0.0, _DEPTH_PACE)
        self._line = 0

    def seek(self, position: Frames) -> None:
        """Let the next block begin at the absolute frame `position`."""
        self._line = position // GRID

    def process(self, x: Signal, depth: float) -> Signal:
        """Delay the next (2, MIX_BLOCK), on the way to `depth`, 0–1."""
        line = np.concatenate((self.history, x), axis=1)
        self.history = line[:, MIX_BLOCK:]
        past = 2 * self.latency
        delay = self._delay.draw(self._delays(depth))
        if isinstance(delay, float):
            return line[:, past - self.latency :][:, :MIX_BLOCK]
        place = np.arange(past, past + MIX_BLOCK) - delay
        whole = np.floor(place)
        at = whole.astype(np.intp)
        # The four weights, of which u is the place's distance from the frame before it.
        u = (place - whole).astype(np.float32)
        before, after = u + 1, u - 1
        outer, inner = u * after, before * (u - 2)
        weights = (outer * (2 - u) / 6, after * inner / 2, -u * inner / 2, before * outer / 6)
        y: Signal = np.zeros_like(x)
        for tap, weight in enumerate(weights, start=-1):
            y += weight * line.take(at + tap, axis=1)
        return y

    def _delays(self, depth: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The delay at the end of each grid block, in frames."""
        lines = np.arange(self._line + 1, self._line + 1 + LINES)
        self._line += LINES
        swing = np.sin(lines[:, None] * self._turns) @ self._swings
        return np.asarray(self.latency + self._depth.approach(depth) * swing)


def _swing(hertz: float, cents: float) -> float:
    """How many frames a sine delay at `hertz` must swing to either side to bend pitch by `cents`."""
    return (2 ** (cents / 1200) - 1) * SAMPLE_RATE / (2 * math.pi * hertz)
