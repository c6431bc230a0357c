"""How loud a block is: integrated loudness and true peak."""

from __future__ import annotations

import math

import numpy as np
from scipy import signal

from radio.types import SAMPLE_RATE, Block

_WEIGHTING = np.array(
    [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
)
"""K-weighting at 48 kHz as second-order sections: the head's shelf, then the revised low-frequency B curve."""
_STEP = SAMPLE_RATE // 10
"""Gating blocks last 400 ms and overlap by three quarters."""
_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, -10.0


def integrated_loudness(block: Block) -> float:
    """The gated loudness of a whole programme.

    Args:
        block: (frames, 2) float32 at 48 kHz.

    Returns:
        LUFS; -inf where no 400 ms are louder than -70 LUFS.

    Source: ITU-R BS.1770-4, annex 1.
    """
    weighted = signal.sosfilt(_WEIGHTING, block.astype(np.float64), axis=0)
    steps = len(weighted) // _STEP
    if steps < 4:
        return -math.inf
    power = np.square(weighted[: steps * _STEP]).reshape(steps, _STEP, 2).sum(axis=(1, 2)) / _STEP
    blocks = np.lib.stride_tricks.sliding_window_view(power, 4).mean(axis=1)
    blocks = blocks[_lufs(blocks) > _ABSOLUTE_GATE]
    if not len(blocks):
        return -math.inf
    blocks = blocks[_lufs(blocks) > _lufs(blocks.mean()) + _RELATIVE_GATE]
    return float(_lufs(blocks.mean()))


def true_peak(block: Block) -> float:
    """The highest peak of the continuous signal, found by interpolating four times.

    Args:
        block: (frames, 2) float32 at 48 kHz, at least one frame.

    Returns:
        dBTP; -inf for digital silence.

    Source: ITU-R BS.1770-4, annex 2.
    """
    fine = signal.resample_poly(block.astype(np.float64), 4, 1, axis=0)
    peak = max(float(np.abs(fine).max()), float(np.abs(block).max()))
    return 20 * math.log10(peak) if peak else -math.inf


def _lufs(
    power: np.ndarray[tuple[int, ...], np.dtype[np.float64]] | np.float64,
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    with np.errstate(divide="ignore"):
        return np.asarray(-0.691 + 10 * np.log10(power))
