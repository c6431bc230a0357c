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

    Source: "Cookbook formulae for audio EQ biquad filter coefficients" (W3C note, 2021), LPF with Q = 1/√2.
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
        channels: how many.
    """

    def __init__(self, sections: Signal, channels: int = 2) -> None:
        self.sections = sections
        self.state: Signal = np.zeros((len(sections), channels, 2))

    def process(self, x: Signal) -> Signal:
        """(channels, frames) → (channels, frames), without delay."""
        if not x.shape[1]:
            return x
        y, self.state = signal.sosfilt(self.sections, x + _TINY, zi=self.state)
        return y


class SweptLowPass:
    """A second-order Butterworth low-pass whose cut-off may be changed at any time.

    The cut-off moves in small steps at the lines of the grid. At each step the filter's state is worked out anew from
    the last two samples that went in and came out: the output goes on from where it was, where the old state, scaled by
    the old coefficients, would make it jump.

    Args:
        cutoff: where it begins, in Hz.
    """

    def __init__(self, cutoff: float) -> None:
        self._octave = math.log2(cutoff)
        self._biquad = Biquad(low_pass_sections(2**self._octave))
        self.past: Signal = np.zeros((2, 2, 2))
        """What went in and what came out; channels; the last sample but one and the last."""

    def process(self, x: Signal, position: Frames, cutoff: float) -> Signal:
        """Filter (2, frames), which begin at the absolute frame `position`; `cutoff` (Hz) counts from the next line."""
        target = math.log2(cutoff)
        frames = x.shape[1]
        if self._octave == target or not lines(position, frames):
            return self._filter(x)
        start = -position % GRID
        parts = [self._filter(x[:, :start])]
        while start < frames:
            self._step(target)
            end = frames if self._octave == target else start + GRID
            parts.append(self._filter(x[:, start:end]))
            start = end
        return np.concatenate(parts, axis=1)

    def _filter(self, x: Signal) -> Signal:
        y = self._biquad.process(x)
        self.past = np.concatenate((self.past, np.stack((x, y))[:, :, -2:]), axis=2)[:, :, -2:]
        return y

    def _step(self, target: float) -> None:
        self._octave += min(max(target - self._octave, -_OCTAVES_PER_LINE), _OCTAVES_PER_LINE)
        sections = low_pass_sections(2**self._octave)
        _, b1, b2, _, a1, a2 = sections[0]
        (x2, x1), (y2, y1) = self.past[0].T, self.past[1].T
        self._biquad.sections = sections
        self._biquad.state = np.stack((b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2, b2 * x1 - a2 * y1), axis=1)[None]
