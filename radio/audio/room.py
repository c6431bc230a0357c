"""A small dark room: a feedback delay network, light enough to run beside everything else."""

from __future__ import annotations

import numpy as np
from scipy import signal

from radio.audio.curve import Signal
from radio.audio.filters import Biquad, high_pass_sections, low_pass_sections
from radio.types import SAMPLE_RATE, Frames, Seconds

_DELAYS: tuple[Frames, ...] = (1259, 1423, 1613, 1811, 2039, 2287, 2579, 2903)
"""Primes, so that echoes seldom coincide: 26 to 60 ms."""
_INTO = np.array([1, -1, 1, 1, -1, 1, -1, -1])[:, None] / np.sqrt(len(_DELAYS))
_DAMPING = 0.35
"""Pole of the low-pass in each line: walls take the treble first."""


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
        self._gains = np.array([10 ** (-3 * delay / SAMPLE_RATE / decay) for delay in _DELAYS])[:, None]
        self._input = Biquad(np.concatenate((high_pass_sections(180), low_pass_sections(4_500))), channels=1)
        self.lines: list[Signal] = [np.zeros(delay) for delay in _DELAYS]
        self.damped: Signal = np.zeros((len(_DELAYS), 1))

    def process(self, x: Signal) -> Signal:
        """The room's answer to (2, frames), of the same shape, without the sound itself."""
        mono = self._input.process((x[:1] + x[1:]) / 2)[0]
        parts = [self._answer(mono[start : start + _DELAYS[0]]) for start in range(0, len(mono), _DELAYS[0])]
        return np.concatenate([x[:, :0], *parts], axis=1)

    def _answer(self, mono: Signal) -> Signal:
        count = len(mono)
        heard = np.stack([line[:count] for line in self.lines]) * self._gains
        heard, self.damped = signal.lfilter([1 - _DAMPING], [1, -_DAMPING], heard, axis=1, zi=self.damped)
        # Written out: numpy's own sum may group the eight differently for blocks of another length.
        left = (heard[0] + heard[2]) + (heard[4] + heard[6])
        right = (heard[1] + heard[3]) + (heard[5] + heard[7])
        fed = heard - (left + right) * (2 / len(_DELAYS)) + _INTO * mono
        self.lines = [np.concatenate((line[count:], new)) for line, new in zip(self.lines, fed, strict=True)]
        return np.stack((left, right))
