"""A small dark room: a feedback delay network, light enough to run beside everything else."""

from __future__ import annotations

import numpy as np

from radio.audio.curve import Signal
from radio.audio.filters import Filters, high_pass_sections, low_pass_sections
from radio.types import MIX_BLOCK, SAMPLE_RATE, Frames, Seconds

_DELAYS: tuple[Frames, ...] = (1259, 1423, 1613, 1811, 2039, 2287, 2579, 2903)
"""Primes, so that echoes seldom coincide: 26 to 60 ms."""
_INTO = np.array([1, -1, 1, 1, -1, 1, -1, -1]) / np.sqrt(len(_DELAYS))
_DAMPING = 0.35
"""Pole of the low-pass in each line: walls take the treble first."""
_DOUBLINGS = (1, 2, 4)
"""1 + p z⁻¹ + p² z⁻² + … + p⁷ z⁻⁷ is (1 + p z⁻¹)(1 + p² z⁻²)(1 + p⁴ z⁻⁴): what is cut off is 73 dB down."""
_TAPS = 2 * _DOUBLINGS[-1]
_PART: Frames = 960
"""Computed at once: less than the shortest delay, and a part of the block."""
_PAST: Frames = max(_DELAYS) + _TAPS - 1
_TINY = np.float32(1e-20)
"""Added to what enters: numbers that fade below 1e-38 in digital silence would slow the processor down."""


class Room:
    """Eight delay lines, each fed with all of them through a Householder matrix.

    A line gives back what it took in at least 1,259 frames before, so that many frames can be computed at once. The
    even lines are heard on the left, the odd ones on the right.

    Args:
        decay: time in which the sound falls by 60 dB.

    Source: "Digital delay networks for designing artificial reverberators" (AES preprint 3030, 1991): a lossless
    network, and in each line the gain that its length needs for the decay.
    """

    def __init__(self, decay: Seconds) -> None:
        count = len(_DELAYS)
        gains = np.array([10 ** (-3 * delay / SAMPLE_RATE / decay) for delay in _DELAYS]) * (1 - _DAMPING)
        heard = np.zeros((2, count))
        heard[0, 0::2], heard[1, 1::2] = gains[0::2], gains[1::2]
        fed = np.diag(gains) - np.tile(gains, (count, 1)) * (2 / count)
        into = np.concatenate((_INTO, (0, 0)))[:, None]
        self._mix: Signal = np.hstack((np.vstack((fed, heard)), into)).astype(np.float32)
        """From what the lines give back and the sound outside to what they are fed and to left and right: (10, 9)."""
        self._input = Filters(np.concatenate((high_pass_sections(180), low_pass_sections(4_500))), channels=1)
        self.lines: Signal = np.zeros((count, _PAST + MIX_BLOCK), np.float32)
        """What each line was fed, the block that is being made behind it."""

    def process(self, x: Signal) -> Signal:
        """The room's answer to (2, MIX_BLOCK), of the same shape, without the sound itself."""
        mono = self._input.process((x[:1] + x[1:]) * np.float32(0.5))
        self.lines[:, :_PAST] = self.lines[:, MIX_BLOCK:]
        out = np.empty_like(x)
        sources: Signal = np.empty((len(_DELAYS) + 1, _PART), np.float32)
        for start in range(0, MIX_BLOCK, _PART):
            sources[:-1] = self._heard(start)
            np.add(mono[0, start : start + _PART], _TINY, out=sources[-1])
            made = self._mix @ sources
            self.lines[:, _PAST + start : _PAST + start + _PART] = made[:-2]
            out[:, start : start + _PART] = made[-2:]
        return out

    def _heard(self, start: Frames) -> Signal:
        """What the lines give back to the part of the block that begins at `start`, damped but for its gain."""
        y = np.empty((len(_DELAYS), _TAPS - 1 + _PART), np.float32)
        for line, delay in enumerate(_DELAYS):
            first = _PAST + start - delay - (_TAPS - 1)
            y[line] = self.lines[line, first : first + y.shape[1]]
        for step in _DOUBLINGS:
            y = y[:, step:] + y[:, :-step] * np.float32(_DAMPING**step)
        return y
