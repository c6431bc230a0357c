"""Interpolation between the frames of a delay line."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from radio.audio.curve import Lines, Signal
from radio.audio.native import effects


def read(line: Signal, places: Lines, latest: npt.NDArray[np.intp] | None = None) -> Signal:
    """Return the values of a line at fractional positions, by quintic Lagrange interpolation through six frames.

    Args:
        line: (channels, frames).
        places: (frames to read,), positions with at least two frames before them in the line and three after them.
        latest: the last frame that may be read for each position, at or after it; None means three frames after it.
    """
    if effects is None:
        return read_in_numpy(line, places, latest)
    y: Signal = np.empty((len(line), len(places)), np.float32)
    effects.read(np.ascontiguousarray(line), places, latest, y)
    return y


def read_in_numpy(line: Signal, places: Lines, latest: npt.NDArray[np.intp] | None = None) -> Signal:
    """Return the same samples as `read`: the reference for its compiled version."""
    at = np.floor(places).astype(np.intp)
    if latest is not None:
        at = np.minimum(at, latest - 3)
    # The weight of each of the six frames is a product of the distances from the others; u is the distance from the
    # third one.
    u = (places - at).astype(np.float32)
    a, b, d, e, f = u + 2, u + 1, u - 1, u - 2, u - 3
    low, high = a * b * u, d * e * f
    weights = (
        b * u * high / -120,
        a * u * high / 24,
        a * b * high / -12,
        low * e * f / 12,
        low * d * f / -24,
        low * d * e / 120,
    )
    y: Signal = np.zeros((len(line), len(places)), np.float32)
    for tap, weight in enumerate(weights, start=-2):
        y += weight * line.take(at + tap, axis=1)
    return y
