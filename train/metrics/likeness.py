"""How far two sets of music differ in one feature: overlap area and KL divergence of their distances.

Source: Yang and Lerch, "On the evaluation of generative models in music", Neural Computing and Applications 32, 2020:
the distances within the real set and those between the sets, each smoothed into a density by a Gaussian kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import gaussian_kde

POINTS = 1_000
MOST = 400
"""Passages taken of a set: distances grow with the square, and their density has long settled."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Likeness:
    """overlap: 0–1, the area under both densities. divergence: KL in nats, of the inner from the mutual distances."""

    overlap: float
    divergence: float


def likeness(real: Values, other: Values, generator: np.random.Generator) -> Likeness:
    """Compare `other` with `real`, one value a passage; what never varies in one of them is alike or not at all."""
    real, other = _some(real, generator), _some(other, generator)
    inner = np.abs(real[:, None] - real[None])[np.triu_indices(len(real), 1)]
    mutual = np.abs(real[:, None] - other[None]).ravel()
    if np.ptp(inner) == 0 or np.ptp(mutual) == 0:
        same = bool(inner.max(initial=0.0) == mutual.max(initial=0.0))
        return Likeness(1.0, 0.0) if same else Likeness(0.0, float("inf"))
    grid = np.linspace(0, max(inner.max(), mutual.max()), POINTS)
    p, q = (gaussian_kde(_few(each, generator))(grid) for each in (inner, mutual))
    step = grid[1] - grid[0]
    p, q = p / (p.sum() * step), q / (q.sum() * step)
    tiny = 1e-10
    divergence = float((p * np.log((p + tiny) / (q + tiny))).sum() * step)
    return Likeness(float(np.minimum(p, q).sum() * step), divergence)


def _some(values: Values, generator: np.random.Generator) -> Values:
    return values if len(values) <= MOST else generator.choice(values, MOST, replace=False)


def _few(distances: Values, generator: np.random.Generator) -> Values:
    """Enough distances for a smooth density: a kernel is laid at each, on every point of the grid."""
    most = 10 * MOST
    return distances if len(distances) <= most else generator.choice(distances, most, replace=False)
