"""Loudness measurement: integrated loudness, its course, its range, and true peak."""

from __future__ import annotations

import math
from copy import copy

import numpy as np
import numpy.typing as npt

from radio.audio.block_filters import BlockFilters
from radio.audio.peaks import Peaks
from radio.types import GRID, SAMPLE_RATE, Block

WEIGHTING = np.array(
    [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
)
"""K-weighting at 48 kHz as second-order sections: the shelf that models the head, then the RLB high-pass."""
_STEP = SAMPLE_RATE // 10
"""Frames in 100 ms. A gating block lasts four steps, and blocks start one step apart."""
_TAPS = 32
_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, -10.0
_RANGE_GATE = -20.0
"""Relative gate of the loudness range, in LU."""
MOMENTARY, SHORT_TERM = 4, 30
"""Steps per momentary and per short-term window: 0.4 s and 3 s."""

Float64Array = npt.NDArray[np.float64]


class Meter:
    """A loudness meter for audio that arrives in parts of any size; memory grows by eight bytes per 100 ms.

    Source: ITU-R BS.1770-4, annex 1 (loudness) and 2 (true peak).
    """

    def __init__(self) -> None:
        self._weighting = BlockFilters(WEIGHTING, frames=_STEP, dtype=np.float64)
        self._peaks = Peaks(_TAPS)
        self._pending: Block = np.zeros((0, 2), np.float32)
        self._power: list[float] = []
        self._peak = 0.0

    def add(self, block: Block) -> None:
        """Add the next block, (frames, 2) float32 at 48 kHz, of any length."""
        block = np.concatenate((self._pending, block))
        steps = len(block) // _STEP
        self._pending = block[steps * _STEP :]
        for step in block[: steps * _STEP].reshape(steps, _STEP, 2):
            samples = np.ascontiguousarray(step.T)
            weighted = self._weighting.process(samples)
            self._power.append(float(np.vdot(weighted, weighted)) / _STEP)
            self._peak = max(self._peak, _highest(self._peaks, samples, self._peak))

    @property
    def integrated(self) -> float:
        """Gated loudness of the audio so far, in LUFS; -inf if no 400 ms are louder than -70 LUFS."""
        blocks = self._gated(MOMENTARY, _RELATIVE_GATE)
        return float(lufs(blocks.mean())) if len(blocks) else -math.inf

    @property
    def loudness_range(self) -> float:
        """Loudness range (LRA) of the audio so far, in LU; 0 if less than three seconds are louder than -70 LUFS.

        Source: EBU Tech 3342 (2016).
        """
        levels = self.short_term()
        if not len(levels):
            return 0.0
        low, high = np.percentile(levels, (10, 95))
        return float(high - low)

    def short_term(self) -> Float64Array:
        """Return the short-term loudness in LUFS, every 100 ms, of the windows that count for the range."""
        return lufs(self._gated(SHORT_TERM, _RANGE_GATE))

    def course(self, steps: int = SHORT_TERM) -> Float64Array:
        """Return the loudness of windows of `steps` · 100 ms, one every 100 ms, in LUFS; -inf in digital silence."""
        return lufs(self._windows(steps))

    @property
    def true_peak(self) -> float:
        """Highest peak of the audio so far at four-fold oversampling, in dBTP; -inf for digital silence."""
        # The pending samples, padded with silence so that peaks at their very end are found.
        padding = -(len(self._pending) + _TAPS) % GRID + _TAPS
        samples = np.concatenate((self._pending.T, np.zeros((2, padding), np.float32)), axis=1)
        peak = max(self._peak, _highest(copy(self._peaks), samples, self._peak))
        return 20 * math.log10(peak) if peak else -math.inf

    def _windows(self, steps: int) -> Float64Array:
        """Return the mean weighted power of each window of `steps` · 100 ms."""
        if len(self._power) < steps:
            return np.zeros(0)
        return np.asarray(np.lib.stride_tricks.sliding_window_view(np.array(self._power), steps).mean(axis=1))

    def _gated(self, steps: int, gate: float) -> Float64Array:
        """Return the powers of windows above -70 LUFS and above their mean loudness plus `gate`."""
        windows = self._windows(steps)
        windows = windows[lufs(windows) > _ABSOLUTE_GATE]
        return windows[lufs(windows) > lufs(windows.mean()) + gate] if len(windows) else windows


def _highest(finder: Peaks, samples: npt.NDArray[np.float32], above: float) -> float:
    return float(finder.find(samples, above).max(initial=0.0))


def lufs(power: Float64Array | np.float64) -> Float64Array:
    """Return the loudness of K-weighted mean squares that are summed over the channels."""
    with np.errstate(divide="ignore"):
        return np.asarray(-0.691 + 10 * np.log10(power))
