"""Values between the frames of a delay line."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from radio.audio.curve import Lines, Signal


def read(line: Signal, places: Lines, latest: npt.NDArray[np.intp] | None = None) -> Signal:
    """Return the values at fractional places of a line, from a cubic through four frames (Lagrange).

    Args:
        line: (channels, frames).
        places: (frames to read,), each with one frame before it in the line and two after it.
        latest: the latest frame that may be read for each place, not before it; None is two frames after it.
    """
    at = np.floor(places).astype(np.intp)
    if latest is not None:
        at = np.minimum(at, latest - 2)
    # The weights of the four frames; u is the distance from the second of them.
    u = (places - at).astype(np.float32)
    before, after = u + 1, u - 1
    outer, inner = u * after, before * (u - 2)
    weights = (outer * (2 - u) / 6, after * inner / 2, -u * inner / 2, before * outer / 6)
    y: Signal = np.zeros((len(line), len(places)), np.float32)
    for tap, weight in enumerate(weights, start=-1):
        y += weight * line.take(at + tap, axis=1)
    return y
