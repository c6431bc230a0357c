"""The reverb of a small dark room: a feedback delay network with low computational cost."""

from __future__ import annotations

import numpy as np

from radio.audio.curve import Signal
from radio.audio.filters import Filters, high_pass_sections, low_pass_sections
from radio.audio.native import effects
from radio.types import MIX_BLOCK, SAMPLE_RATE, Frames, Seconds

_DELAYS: tuple[Frames, ...] = (1259, 1423, 1613, 1811, 2039, 2287, 2579, 2903)
"""Primes, so that echoes rarely coincide: 26 to 60 ms."""
_INPUT_GAINS = np.array([1, -1, 1, 1, -1, 1, -1, -1]) / np.sqrt(len(_DELAYS))
_DAMPING = 0.35
"""Pole of the low-pass in each line: walls absorb treble first."""
_DOUBLINGS = (1, 2, 4)
"""1 + p z⁻¹ + p² z⁻² + … + p⁷ z⁻⁷ = (1 + p z⁻¹)(1 + p² z⁻²)(1 + p⁴ z⁻⁴); the truncated rest is 73 dB down."""
_DELAY_FRAMES = np.array(_DELAYS, np.int32)
_SHARES = _INPUT_GAINS.astype(np.float32)
_DAMPING_POWERS = np.array([_DAMPING**step for step in _DOUBLINGS], np.float32)
_TAPS = 2 * _DOUBLINGS[-1]
_STEP: Frames = 960
"""Frames computed together: fewer than the shortest delay, and a divisor of the block."""
_PAST_FRAMES: Frames = max(_DELAYS) + _TAPS - 1
_TINY = np.float32(1e-20)
"""Added to the input: numbers that decay below 1e-38 (denormals) in digital silence slow the processor down."""


class Room:
    """Eight delay lines that feed each other through a Householder matrix.

    Each line delays its input by at least 1,259 frames, so that up to 1,259 frames can be computed together. The even
    lines feed the left output, the odd lines the right one.

    Args:
        decay: the time in which the sound falls by 60 dB.

    Source: "Digital delay networks for designing artificial reverberators" (AES preprint 3030, 1991): a lossless
    network, with a gain in each line that depends on its length and the decay.
    """

    def __init__(self, decay: Seconds) -> None:
        count = len(_DELAYS)
        gains = np.array([10 ** (-3 * delay / SAMPLE_RATE / decay) for delay in _DELAYS]) * (1 - _DAMPING)
        outputs = np.zeros((2, count))
        outputs[0, 0::2], outputs[1, 1::2] = gains[0::2], gains[1::2]
        feedback = np.diag(gains) - np.tile(gains, (count, 1)) * (2 / count)
        inputs = np.concatenate((_INPUT_GAINS, (0, 0)))[:, None]
        self._gains: Signal = gains.astype(np.float32)
        self._mix: Signal = np.hstack((np.vstack((feedback, outputs)), inputs)).astype(np.float32)
        """(10, 9): maps the outputs of the lines and the input to the inputs of the lines and to left and right."""
        self._input = Filters(np.concatenate((high_pass_sections(180), low_pass_sections(4_500))), channels=1)
        self.lines: Signal = np.zeros((count, _PAST_FRAMES + MIX_BLOCK), np.float32)
        """The past input of each line, followed by the block that is being computed."""

    def process(self, x: Signal) -> Signal:
        """Return the reverberation of the next block, (2, MIX_BLOCK), without the direct sound."""
        mono = self._input.process((x[:1] + x[1:]) * np.float32(0.5)) + _TINY
        self.lines[:, :_PAST_FRAMES] = self.lines[:, MIX_BLOCK:]
        if effects is None:
            return self._in_numpy(mono)
        out: Signal = np.empty((2, MIX_BLOCK), np.float32)
        effects.room(self.lines, _DELAY_FRAMES, self._gains, _SHARES, _DAMPING_POWERS, mono, out)
        return out

    def _in_numpy(self, mono: Signal) -> Signal:
        """Return the same block as the compiled effect, except for rounding: the reference for it."""
        out: Signal = np.empty((2, MIX_BLOCK), np.float32)
        sources: Signal = np.empty((len(_DELAYS) + 1, _STEP), np.float32)
        for start in range(0, MIX_BLOCK, _STEP):
            sources[:-1] = self._delayed(start)
            sources[-1] = mono[0, start : start + _STEP]
            mixed = self._mix @ sources
            self.lines[:, _PAST_FRAMES + start : _PAST_FRAMES + start + _STEP] = mixed[:-2]
            out[:, start : start + _STEP] = mixed[-2:]
        return out

    def _delayed(self, start: Frames) -> Signal:
        """Return the low-passed outputs of the lines, before their gains, for the part that begins at `start`."""
        y = np.empty((len(_DELAYS), _TAPS - 1 + _STEP), np.float32)
        for line, delay in enumerate(_DELAYS):
            first = _PAST_FRAMES + start - delay - (_TAPS - 1)
            y[line] = self.lines[line, first : first + y.shape[1]]
        for step in _DOUBLINGS:
            y = y[:, step:] + y[:, :-step] * np.float32(_DAMPING**step)
        return y
