"""Periodic rotary positions: each frequency is a whole number of turns in `PERIOD` tokens.

Positions are stored modulo the period, so the angles of the millionth token are as exact as those of the first.
Attention depends only on distances, which are far below the period within its context.
Source: Su et al., "RoFormer", arXiv 2104.09864, section 3.2, with its base of 10,000 and rounded frequencies.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

PERIOD = 2**16
_BASE = 10_000.0


def angles(positions: npt.ArrayLike, head_size: int) -> npt.NDArray[np.float64]:
    """Return the angles (…, N/2), in radians, by which the pairs of a head of size N are rotated at `positions` (…)."""
    exponents = np.arange(0, head_size, 2) / head_size
    turns = np.rint(PERIOD / (2 * np.pi) * _BASE**-exponents).astype(np.int64)
    column = np.asarray(positions, np.int64)[..., None]
    radians: npt.NDArray[np.float64] = (turns * column % PERIOD) * np.float64(2 * np.pi / PERIOD)
    return radians
