"""Rotary positions that never wear out: frequencies are whole numbers of turns in `PERIOD` tokens.

So a position is kept modulo the period, and the angles of the millionth token are as exact as those of the first. Only
distances matter to attention, and those within its context are far below the period.
Source: Su et al., "RoFormer", arXiv 2104.09864, section 3.2, with its base of 10,000, frequencies rounded.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

PERIOD = 2**16
_BASE = 10_000.0


def angles(positions: npt.ArrayLike, head_size: int) -> npt.NDArray[np.float64]:
    """Angles (…, N/2) by which the pairs of a head of size N are turned at `positions` (…), in radians."""
    exponents = np.arange(0, head_size, 2) / head_size
    turns = np.rint(PERIOD / (2 * np.pi) * _BASE**-exponents).astype(np.int64)
    places = np.asarray(positions, np.int64)[..., None]
    turned: npt.NDArray[np.float64] = (turns * places % PERIOD) * np.float64(2 * np.pi / PERIOD)
    return turned
