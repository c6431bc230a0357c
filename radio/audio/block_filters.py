"""Fixed second-order filters in numpy, computed one block at a time by matrix products.

They are the reference for the compiled filters, and their replacement if those are missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radio.audio.curve import Signal
from radio.types import GRID, MIX_BLOCK, Frames

_TINY = 1e-20
"""Added to filter states: numbers that decay below 1e-38 (denormals) in digital silence slow the processor down."""
_DOUBLINGS = 16
"""Doublings of 64 frames: 87 s, far longer than the impulse response of any filter here."""

Sections = npt.NDArray[np.float64]
"""Second-order sections in series, (sections, 6): b0, b1, b2, 1, a1, a2 of each, as in scipy.signal."""


@dataclass(frozen=True)
class _Matrices:
    """The matrices of G parallel filters with N states each, for blocks of K grid blocks.

    within: (G, GRID, GRID + N), maps the samples of a grid block to its output and its contribution to the states.
    across: (G, (K + 1)·N, (K + 1)·N), maps the initial states and the contributions of the grid blocks to the states
        before each grid block and after the last one.
    free: (G, N, GRID), maps the states before a grid block to its output.
    """

    within: Signal
    across: Signal
    free: Signal

    def __deepcopy__(self, memo: dict[int, object]) -> _Matrices:
        """Return the object itself; it is immutable."""
        return self


class BlockFilters:
    """Fixed filters in parallel, each over `channels` rows of the signal.

    A recursive filter needs each output sample to compute the next, which is slow in numpy. As a state space, it can
    advance by whole grid blocks: the output of a grid block is linear in its 64 samples and in the states before it,
    and so are the states after it. The states between grid blocks form a linear system of the same kind, one level
    coarser. So three matrix products filter a whole block, regardless of the number of sections.

    Args:
        filters: the sections of each filter; all filters have the same number of sections.
        channels: the rows that each filter processes.
        frames: the size of a block, a multiple of 64.
        dtype: the precision of the computation.

    Source: Burrus, "Block realization of digital filters" (IEEE Transactions on Audio and Electroacoustics 20, 1972).
    """

    def __init__(
        self, *filters: Sections, channels: int = 2, frames: Frames = MIX_BLOCK, dtype: npt.DTypeLike = np.float32
    ) -> None:
        self._blocks = frames // GRID
        parts = [_matrices(sections, self._blocks) for sections in filters]
        within, across, free = (np.stack(part).astype(dtype) for part in zip(*parts, strict=True))
        self._matrices = _Matrices(within, across, free)
        self._channels = channels
        self.state: Signal = np.zeros((len(filters), channels, free.shape[1]), dtype)

    def process(self, x: Signal) -> Signal:
        """Filter the next block, (filters · channels, frames), without delay.

        The channels of one filter are adjacent rows.
        """
        matrices, (filters, channels, order) = self._matrices, self.state.shape
        products = x.reshape(filters, channels * self._blocks, GRID) @ matrices.within
        contributions = products[..., GRID:].reshape(filters, channels, -1)
        states = np.concatenate((self.state, contributions), axis=2) @ matrices.across
        self.state = states[..., -order:] + self.state.dtype.type(_TINY)
        before = states[..., :-order].reshape(filters, -1, order)
        y: Signal = products[..., :GRID] + before @ matrices.free
        return y.reshape(x.shape)


def _matrices(sections: Sections, blocks: int) -> tuple[Sections, Sections, Sections]:
    """Return `within`, `across` and `free` of one filter, from its response to a unit sample and to unit states."""
    step, into, out, through = _state_space(sections)
    powers = _powers(step, GRID)  # (GRID, N, N)
    free = (powers @ out).T
    contributions = into @ powers
    impulse = np.concatenate(([through], contributions[:-1] @ out))
    into, step, free = _normalized(contributions[::-1], powers[-1] @ step, free)
    across = _toeplitz(_powers(step, blocks + 1)).swapaxes(1, 2).reshape(((blocks + 1) * len(step),) * 2)
    return np.hstack((_toeplitz(impulse), into)), across, free


def _state_space(sections: Sections) -> tuple[Sections, Sections, Sections, float]:
    """Return the filter as a linear system in transposed direct form II.

    With a row vector of states z and a sample x, the next states are z @ step + x * into, and the output is
    z @ out + x * through.
    """
    order = 2 * len(sections)
    step, into, out, through = np.zeros((order, order)), np.zeros(order), np.zeros(order), 1.0
    for place, (b0, b1, b2, _, a1, a2) in enumerate(sections):
        first, second = 2 * place, 2 * place + 1
        # The section's input is the output of the sections so far, as coefficients of the states and of the sample.
        value, sample = out.copy(), through
        out, through = b0 * value, b0 * sample
        out[first] += 1
        step[:, first], into[first] = b1 * value - a1 * out, b1 * sample - a1 * through
        step[second, first] += 1
        step[:, second], into[second] = b2 * value - a2 * out, b2 * sample - a2 * through
    return step, into, out, through


def _powers(step: Sections, count: int) -> Sections:
    """Return the powers of a matrix from 0 to `count - 1`, by doubling: (count, N, N)."""
    powers, square = np.eye(len(step))[None], step
    while len(powers) < count:
        powers = np.concatenate((powers, powers @ square))
        square = square @ square
    return powers[:count]


def _toeplitz(values: Sections) -> Sections:
    """Return the upper triangle of a matrix with constant diagonals, `values` as the first row: (n, n, ...)."""
    count = len(values)
    distance = np.arange(count) - np.arange(count)[:, None]
    matrix: Sections = np.where(
        (distance >= 0).reshape(count, count, *(1,) * (values.ndim - 1)), values[np.maximum(distance, 0)], 0.0
    )
    return matrix


def _normalized(into: Sections, step: Sections, free: Sections) -> tuple[Sections, Sections, Sections]:
    """Transform a system so that white noise at its input makes its states uncorrelated and of equal power.

    At a low cutoff, the states of the direct form nearly cancel each other, which would ruin single precision.

    Source: Mullis and Roberts, "Synthesis of minimum roundoff noise fixed point digital filters" (IEEE Transactions on
    Circuits and Systems 23, 1976): the states' covariance, here by doubling, and its Cholesky factor.
    """
    covariance, power = into.T @ into, step
    for _ in range(_DOUBLINGS):
        covariance = covariance + power.T @ covariance @ power
        power = power @ power
    factor = np.linalg.cholesky(covariance).T
    inverse = np.linalg.inv(factor)
    return into @ inverse, factor @ step @ inverse, factor @ free
