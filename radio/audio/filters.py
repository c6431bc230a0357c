"""Second-order filters: fixed ones, and a variable low-pass."""

from __future__ import annotations

import math

import numpy as np

from radio.audio.block_filters import BlockFilters, Sections
from radio.audio.curve import Signal
from radio.audio.native import effects
from radio.types import MIX_BLOCK, SAMPLE_RATE

_OCTAVES_PER_BLOCK = 10 * MIX_BLOCK / SAMPLE_RATE
"""A variable low-pass moves by ten octaves per second: fast enough to seem immediate, without zipper noise."""
_FADE = (np.arange(MIX_BLOCK, dtype=np.float32) + 1) / MIX_BLOCK


def low_pass_sections(cutoff: float) -> Sections:
    """Return a second-order Butterworth low-pass as one second-order section, (1, 6).

    Args:
        cutoff: the -3 dB frequency in Hz, below 24,000.

    Source: "Cookbook formulae for audio EQ biquad filter coefficients" (W3C note, 2021), LPF with Q = 1/√2.
    """
    cosine, alpha = _cosine_alpha(cutoff)
    middle = 1 - cosine
    return np.array([[middle / 2, middle, middle / 2, 1 + alpha, -2 * cosine, 1 - alpha]]) / (1 + alpha)


def high_pass_sections(cutoff: float) -> Sections:
    """Return a second-order Butterworth high-pass as one second-order section, (1, 6).

    For argument and source see `low_pass_sections`.
    """
    cosine, alpha = _cosine_alpha(cutoff)
    middle = 1 + cosine
    return np.array([[middle / 2, -middle, middle / 2, 1 + alpha, -2 * cosine, 1 - alpha]]) / (1 + alpha)


def low_shelf_sections(gain_db: float, corner: float = 60.0) -> Sections:
    """Return a low shelf of slope 1 as one second-order section, (1, 6).

    Args:
        gain_db: gain below the shelf in dB; the gain at the corner is half of it.
        corner: middle of the shelf in Hz.

    Source: "Cookbook formulae for audio EQ biquad filter coefficients" (W3C note, 2021), lowShelf with S = 1.
    """
    root = 10 ** (gain_db / 40)
    cosine, alpha = _cosine_alpha(corner)
    up, down, bend = root + 1, root - 1, 2 * math.sqrt(root) * alpha
    numerator = root * np.array([up - down * cosine + bend, 2 * (down - up * cosine), up - down * cosine - bend])
    denominator = [up + down * cosine + bend, -2 * (down + up * cosine), up + down * cosine - bend]
    return np.array([[*numerator, *denominator]]) / denominator[0]


def bell_sections(gain_db: float, center: float = 350.0) -> Sections:
    """Return a bell, two octaves wide, as one second-order section, (1, 6).

    Args:
        gain_db: gain at the center in dB.
        center: center frequency in Hz.

    Source: "Cookbook formulae for audio EQ biquad filter coefficients" (W3C note, 2021), peakingEQ with Q = 1/√2.
    """
    root = 10 ** (gain_db / 40)
    cosine, alpha = _cosine_alpha(center)
    up, down = alpha * root, alpha / root
    return np.array([[1 + up, -2 * cosine, 1 - up, 1 + down, -2 * cosine, 1 - down]]) / (1 + down)


def _cosine_alpha(cutoff: float) -> tuple[float, float]:
    angle = 2 * math.pi * cutoff / SAMPLE_RATE
    return math.cos(angle), math.sin(angle) / math.sqrt(2)


class Filters:
    """Fixed filters in parallel, each over `channels` rows of the signal, in single precision.

    Args:
        filters: the sections of each filter; all filters have the same number of sections, at most 16.
        channels: the rows that each filter processes.
    """

    def __init__(self, *filters: Sections, channels: int = 2) -> None:
        self._in_numpy: BlockFilters | None = None
        if effects is None:
            self._in_numpy = BlockFilters(*filters, channels=channels)
            return
        of_filters = np.array(filters)[:, :, [0, 1, 2, 4, 5]]
        self._coefficients = np.ascontiguousarray(np.repeat(of_filters, channels, axis=0))
        """b0, b1, b2, a1 and a2 of each section of each row: (rows, sections, 5) float64."""
        self.states = np.zeros((*self._coefficients.shape[:2], 2))

    def process(self, x: Signal) -> Signal:
        """Filter the next block, (filters · channels, MIX_BLOCK), without delay.

        The channels of one filter are adjacent rows.
        """
        if self._in_numpy is not None:
            return self._in_numpy.process(x)
        y: Signal = np.empty(x.shape, np.float32)
        effects.filter(np.ascontiguousarray(x, np.float32), y, self._coefficients, self.states, len(x))
        return y


class SweptLowPass:
    """A second-order Butterworth low-pass whose cutoff may change at any time.

    While the cutoff moves, each block crossfades from the previous filter to the next one. The next filter has
    processed the previous block too, so it starts from a settled state.

    Args:
        cutoff: the initial cutoff in Hz.
    """

    def __init__(self, cutoff: float) -> None:
        self._octave = math.log2(cutoff)
        self._filter = Filters(low_pass_sections(2**self._octave))
        self._previous: Signal = np.zeros((2, MIX_BLOCK), np.float32)

    def process(self, x: Signal, cutoff: float) -> Signal:
        """Filter the next block, (2, MIX_BLOCK), while the cutoff approaches `cutoff` in Hz."""
        target = math.log2(cutoff)
        y = self._filter.process(x)
        if self._octave != target:
            self._octave += min(max(target - self._octave, -_OCTAVES_PER_BLOCK), _OCTAVES_PER_BLOCK)
            self._filter = Filters(low_pass_sections(2**self._octave))
            self._filter.process(self._previous)
            y += (self._filter.process(x) - y) * _FADE
        self._previous = x
        return y
