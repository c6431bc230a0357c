"""Cuts for the invariant that every effect keeps: whole = split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

SIZES = st.lists(st.one_of(st.integers(0, 200), st.sampled_from([64, 480, 960, 1259, 4800])), min_size=1, max_size=40)
few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

Array = npt.NDArray[np.generic]


def bounds(sizes: Sequence[int], frames: int) -> list[int]:
    """Where the pieces of `sizes` begin and end; the last goes on to `frames`."""
    return [*[cut for cut in np.cumsum([0, *sizes]).tolist() if cut < frames], frames]


def in_pieces(process: Callable[[Array, int], Array], x: Array, sizes: Sequence[int], *, axis: int) -> Array:
    """`process(piece, position)` over `x` cut along `axis`, joined again."""
    cuts = bounds(sizes, x.shape[axis])
    take = [np.s_[a:b] if axis == 0 else np.s_[:, a:b] for a, b in pairwise(cuts)]
    return np.concatenate([process(x[part], a) for part, a in zip(take, cuts[:-1], strict=True)], axis=axis)


def rms_db(x: Array) -> float:
    return float(10 * np.log10(np.square(x.astype(np.float64)).mean()))
