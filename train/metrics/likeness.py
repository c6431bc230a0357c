"""Similarity of two sets of music in one metric: overlap area and KL divergence of their distances.

Source: Yang and Lerch, "On the evaluation of generative models in music", Neural Computing and Applications 32, 2020.
The distances within the real set and those between the sets are each smoothed into a density by a Gaussian kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import gaussian_kde

POINTS = 1_000
MOST = 400
"""Maximum passages of a set to compare: the number of distances grows with its square, their density changes little."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Likeness:
    """The similarity of two sets."""

    overlap: float
    """The area under both densities, 0–1."""
    divergence: float
    """The KL divergence in nats of the distances within the real set from those between the sets."""


def likeness(real: Values, other: Values, generator: np.random.Generator) -> Likeness:
    """Compare `other` with `real`, one value per passage. Sets without variation are equal or not similar at all."""
    real, other = _some(real, generator), _some(other, generator)
    inner = np.abs(real[:, None] - real[None])[np.triu_indices(len(real), 1)]
    mutual = np.abs(real[:, None] - other[None]).ravel()
    if np.ptp(inner) == 0 or np.ptp(mutual) == 0:
        same = bool(inner.max(initial=0.0) == mutual.max(initial=0.0))
        return Likeness(1.0, 0.0) if same else Likeness(0.0, float("inf"))
    grid = np.linspace(0, max(inner.max(), mutual.max()), POINTS)
    p, q = (gaussian_kde(_few(distances, generator))(grid) for distances in (inner, mutual))
    step = grid[1] - grid[0]
    p, q = p / (p.sum() * step), q / (q.sum() * step)
    tiny = 1e-10
    divergence = float((p * np.log((p + tiny) / (q + tiny))).sum() * step)
    return Likeness(float(np.minimum(p, q).sum() * step), divergence)


def _some(values: Values, generator: np.random.Generator) -> Values:
    return values if len(values) <= MOST else generator.choice(values, MOST, replace=False)


def _few(distances: Values, generator: np.random.Generator) -> Values:
    """Return at most as many distances as a smooth density needs; each costs a kernel on the whole grid."""
    most = 10 * MOST
    return distances if len(distances) <= most else generator.choice(distances, most, replace=False)
