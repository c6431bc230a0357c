"""A tape that slows down to a standstill and starts again."""

from __future__ import annotations

import numpy as np

from radio.audio.curve import Signal
from radio.audio.delay_line import read
from radio.types import MIX_BLOCK

_AUDIBLE_SPEED = 0.25
"""Below this speed the level falls with the speed, as a tape head's signal does, so that the standstill is silent."""
_MARGIN = 6
"""Frames kept before the read position: the quintic reaches five frames back if it may not look ahead."""
_RISE = np.arange(1, MIX_BLOCK + 1) / MIX_BLOCK
_FADE_IN = _RISE.astype(np.float32)


class TapeStop:
    """A delay that grows while the tape is slower than its input, so that the pitch falls to zero.

    Recording begins when the tape slows down, so a running tape has no delay and costs nothing. When the tape starts
    again, it continues with the current input; the input during the standstill is dropped.
    """

    def __init__(self) -> None:
        self._speed = 1.0
        self._delay = 0.0
        """Frames between the input and the read position."""
        self._recorded: Signal = np.zeros((2, _MARGIN), np.float32)

    def process(self, x: Signal, speed: float) -> Signal:
        """Process the next block, (2, MIX_BLOCK), while the speed falls linearly to `speed`, 0–1.

        A higher speed than before restarts the tape at full speed, with a fade over the block.
        """
        if speed == self._speed == 1.0:
            self._recorded = x[:, -_MARGIN:].copy()
            return x
        starts = speed > self._speed
        y = self._slowed(x, 0.0 if starts else speed)
        if starts:
            y += x * _FADE_IN
            self._speed, self._delay, self._recorded = 1.0, 0.0, x[:, -_MARGIN:].copy()
        return y

    def _slowed(self, x: Signal, speed: float) -> Signal:
        if speed == self._speed == 0.0:
            return np.zeros_like(x)
        speeds = self._speed + (speed - self._speed) * _RISE
        delays = self._delay + np.cumsum(1 - speeds)
        line = np.concatenate((self._recorded, x), axis=1)
        now = np.arange(line.shape[1] - MIX_BLOCK, line.shape[1])
        y = read(line, now - delays, latest=now)
        y *= np.minimum(speeds / _AUDIBLE_SPEED, 1).astype(np.float32)
        self._speed, self._delay = speed, float(delays[-1])
        self._recorded = line[:, int(now[-1] + 1 - self._delay) - _MARGIN :]
        return y
