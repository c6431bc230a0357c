"""Tape effects: soft saturation, and wow and flutter."""

from __future__ import annotations

import math

import numpy as np

from radio.audio.curve import LINES, Curve, Ramp, Signal
from radio.audio.delay_line import read
from radio.types import GRID, MIX_BLOCK, SAMPLE_RATE, Frames

_WOW = ((0.21, 0.2), (0.53, 0.4), (1.09, 0.4))
_FLUTTER = ((3.1, 0.4), (4.7, 0.4), (5.9, 0.2))
"""Frequency in Hz and share of the pitch bend; the sum repeats after 100 s at the earliest."""
_DEPTH_PACE = 0.5
"""Rate at which the depth moves, in full range per second; a faster change would be audible as a glide of pitch."""


def saturate(x: Signal, drive: float) -> Signal:
    """Saturate softly: unity slope at zero, and a limit of 1 / drive.

    The curve is a rational approximation of tanh that reaches ±1 with zero slope at ±3.

    Args:
        x: (2, frames).
        drive: linear gain before the curve, which is divided out after it; > 0.

    Source: Lambert's continued fraction for tanh, truncated after the second step: x (27 + x²) / (27 + 9 x²).
    """
    driven: Signal = np.clip(x * drive, -3, 3)
    square = driven * driven
    driven *= square + 27
    square *= 9 * drive
    square += 27 * drive
    driven /= square
    return driven


class Tape:
    """Wow and flutter: a modulated delay that bends the pitch.

    A sinusoidal delay of A frames at f Hz bends the pitch by at most 2π f A / 48,000; each component's A follows from
    its share of the cents. The delay is set on the grid of 64 frames.

    Args:
        wow: largest slow bend in cents at full depth.
        flutter: largest fast bend in cents at full depth.
    """

    def __init__(self, wow: float, flutter: float) -> None:
        cents = [(hertz, share * wow) for hertz, share in _WOW]
        cents += [(hertz, share * flutter) for hertz, share in _FLUTTER]
        self._swings = np.array([_swing(hertz, bend) for hertz, bend in cents])
        """Amplitude of each component's delay, in frames."""
        self._steps = np.array([2 * math.pi * hertz * GRID / SAMPLE_RATE for hertz, _ in cents])
        """Phase advance of each component per grid block, in radians."""
        reach = math.ceil(self._swings.sum()) + 3
        self.latency: Frames = -(-reach // GRID) * GRID
        """The mean delay, a whole number of grid blocks."""
        self.history: Signal = np.zeros((2, 2 * self.latency), np.float32)
        self._delay = Curve(self.latency)
        self._depth = Ramp(0.0, _DEPTH_PACE)
        self._line = 0

    def seek(self, position: Frames) -> None:
        """Set the absolute frame of the next block."""
        self._line = position // GRID

    def process(self, x: Signal, depth: float) -> Signal:
        """Process the next block, (2, MIX_BLOCK), while the depth approaches `depth`, 0–1."""
        line = np.concatenate((self.history, x), axis=1)
        self.history = line[:, MIX_BLOCK:]
        past = 2 * self.latency
        delay = self._delay.draw(self._delays(depth))
        if isinstance(delay, float):
            return line[:, past - self.latency :][:, :MIX_BLOCK]
        return read(line, np.arange(past, past + MIX_BLOCK) - delay)

    def _delays(self, depth: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Return the delay at the end of each grid block, in frames."""
        lines = np.arange(self._line + 1, self._line + 1 + LINES)
        self._line += LINES
        swing = np.sin(lines[:, None] * self._steps) @ self._swings
        return np.asarray(self.latency + self._depth.approach(depth) * swing)


def _swing(hertz: float, cents: float) -> float:
    """Return the amplitude, in frames, of a sinusoidal delay at `hertz` that bends the pitch by `cents`."""
    return (2 ** (cents / 1200) - 1) * SAMPLE_RATE / (2 * math.pi * hertz)
