"""Second-order filters with their state carried from block to block: fixed ones, and a low-pass that can be turned.

Each sample is computed from the ones before it in one order of operations, so whole and split are bit-identical.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import signal

from radio.audio.curve import Signal, lines
from radio.types import GRID, SAMPLE_RATE, Frames

_TINY = 1e-20
"""Added to what enters a filter: numbers that fade below 1e-308 in digital silence would slow the processor down."""
_OCTAVES_PER_LINE = 10 * GRID / SAMPLE_RATE
"""A low-pass that is turned moves by ten octaves a second: quick to the ear, and without zipper noise."""


def low_pass_sections(cutoff: float) -> Signal:
    """A second-order Butterworth low-pass as one second-order section, (1, 6).

    Args:
        cutoff: the frequency that comes out 3 dB weaker, in Hz, below 24,000.

    Source: R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients", LPF with Q = 1/√2.
    """
    cosine, alpha = _cosine_alpha(cutoff)
    middle = 1 - cosine
    return np.array([[middle / 2, middle, middle / 2, 1 + alpha, -2 * cosine, 1 - alpha]]) / (1 + alpha)


def high_pass_sections(cutoff: float) -> Signal:
    """A second-order Butterworth high-pass as one second-order section, (1, 6); same argument and source."""
    cosine, alpha = _cosine_alpha(cutoff)
    middle = 1 + cosine
    return np.array([[middle / 2, -middle, middle / 2, 1 + alpha, -2 * cosine, 1 - alpha]]) / (1 + alpha)


def _cosine_alpha(cutoff: float) -> tuple[float, float]:
    angle = 2 * math.pi * cutoff / SAMPLE_RATE
    return math.cos(angle), math.sin(angle) / math.sqrt(2)


class Biquad:
    """A fixed filter.

    Args:
        sections: (sections, 6) second-order sections, as scipy.signal has them.
    """

    def __init__(self, sections: Signal) -> None:
        self.sections = sections
        self.state: Signal = np.zeros((len(sections), 2, 2))

    def process(self, x: Signal) -> Signal:
        """(2, frames) → (2, frames), without delay."""
        if not x.shape[1]:
            return x
        y, self.state = signal.sosfilt(self.sections, x + _TINY, zi=self.state)
        return y


class SweptLowPass:
    """A second-order Butterworth low-pass whose cut-off may be changed at any time.

    The cut-off moves in steps at the lines of the grid, small enough to be smooth.

    Args:
        cutoff: where it begins, in Hz.
    """

    def __init__(self, cutoff: float) -> None:
        self._octave = math.log2(cutoff)
        self._biquad = Biquad(low_pass_sections(2**self._octave))

    def process(self, x: Signal, position: Frames, cutoff: float) -> Signal:
        """Filter (2, frames), which begin at the absolute frame `position`; `cutoff` (Hz) counts from the next line."""
        target = math.log2(cutoff)
        frames = x.shape[1]
        if self._octave == target or not lines(position, frames):
            return self._biquad.process(x)
        start = -position % GRID
        parts = [self._biquad.process(x[:, :start])]
        while start < frames:
            self._octave += min(max(target - self._octave, -_OCTAVES_PER_LINE), _OCTAVES_PER_LINE)
            self._biquad.sections = low_pass_sections(2**self._octave)
            end = frames if self._octave == target else start + GRID
            parts.append(self._biquad.process(x[:, start:end]))
            start = end
        return np.concatenate(parts, axis=1)
