"""Arithmetic of the numpy engines on float32 vectors in the last axis."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float32]
Norm: TypeAlias = tuple[Array, Array]
"""Weight and bias of a norm."""

LAYER_NORM_EPS = 1e-5
GROUP_NORM_EPS = 64e-5
"""Epsilon of RWKV's group norm over heads: 1e-5 · 8²."""


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + e⁻ˣ), computed with tanh, which saturates where exp would overflow."""
    result: Array = np.float32(0.5) * (np.float32(1) + np.tanh(np.float32(0.5) * x))
    return result


def normalize(x: Array, eps: float) -> Array:
    """Scale `x` to mean 0 and variance 1 along the last axis."""
    centered = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(centered).mean(axis=-1, keepdims=True)
    result: Array = centered / np.sqrt(variance + np.float32(eps))
    return result


def layer_norm(x: Array, norm: Norm) -> Array:
    """Apply a layer norm along the last axis."""
    return normalize(x, LAYER_NORM_EPS) * norm[0] + norm[1]
