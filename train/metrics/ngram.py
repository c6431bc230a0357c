"""A back-off n-gram: the baseline that a model must beat to be worth its electricity.

Witten–Bell interpolation: with C(h) the count of context h and T(h) how many different tokens followed it,
p(t|h) = (c(h, t) + T(h) · p(t|h')) / (C(h) + T(h)), where h' is h less its oldest token; below one token, 1/V.
Source: Witten and Bell, "The zero-frequency problem", IEEE Transactions on Information Theory 37 (1991); method C.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from train.data.vocabulary import Rows

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

Keys = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.float64]


class NGram:
    """Counts over pieces of rows 0 … V − 1; contexts do not reach over a piece's start.

    Contexts are kept as 64-bit hashes, so that counting is sorting; that two of 10⁸ collide has a chance of one in
    four thousand, and would change one count.
    """

    def __init__(self, pieces: Iterable[Rows], vocabulary: int, *, order: int = 5) -> None:
        self.vocabulary = vocabulary
        self.order = order
        counted = list(pieces)
        self._tables = [_Table(counted, length) for length in range(order)]

    def nats(self, piece: Rows, sampled: npt.NDArray[np.bool_], order: int | None = None) -> tuple[float, int]:
        """Summed nats over those tokens of `piece` whose rows are `sampled`, and how many they are.

        Args:
            order: reckon with contexts of fewer than this many tokens only; all that were counted by default.
        """
        probability = np.full(len(piece), 1 / self.vocabulary)
        for length, table in enumerate(self._tables[:order]):
            count, total, kinds = table.look_up(*_hashed(piece, length))
            seen = total > 0
            here = probability[length:]
            here[seen] = (count[seen] + kinds[seen] * here[seen]) / (total[seen] + kinds[seen])
        counted = sampled[piece]
        counted[:1] = False  # the first token has no predecessor, for a model either
        return float(-np.log(probability[counted]).sum()), int(counted.sum())

    def bits(self, pieces: Sequence[Rows], sampled: npt.NDArray[np.bool_], order: int | None = None) -> float:
        """Bits per sampled token over `pieces`."""
        sums = [self.nats(piece, sampled, order) for piece in pieces]
        return sum(nats for nats, _ in sums) / max(1, sum(count for _, count in sums)) / math.log(2)


class _Table:
    """Counts for contexts of one length: of (context, token), of the context, and of its different tokens."""

    def __init__(self, pieces: Sequence[Rows], length: int) -> None:
        hashed = [_hashed(piece, length) for piece in pieces]
        contexts = np.concatenate([context for context, _ in hashed])
        events = np.concatenate([event for _, event in hashed])
        self._events, first, self._counts = np.unique(events, return_index=True, return_counts=True)
        self._contexts, place = np.unique(contexts[first], return_inverse=True)
        self._totals = np.bincount(place, weights=self._counts)
        self._kinds = np.bincount(place)

    def look_up(self, contexts: Keys, events: Keys) -> tuple[Numbers, Numbers, Numbers]:
        """c(h, t), C(h) and T(h) for each pair; zeros for what was never seen."""
        known_event, event = _found(self._events, events)
        known_context, context = _found(self._contexts, contexts)
        return (
            np.where(known_event, self._counts[event], 0).astype(np.float64),
            np.where(known_context, self._totals[context], 0).astype(np.float64),
            np.where(known_context, self._kinds[context], 0).astype(np.float64),
        )


def _found(keys: Keys, wanted: Keys) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return keys[place] == wanted, place


def _hashed(piece: Rows, length: int) -> tuple[Keys, Keys]:
    """For each token from `length` on: the hash of its `length` predecessors, and of those with the token."""
    count = max(0, len(piece) - length)
    context = np.full(count, length + 1, dtype=np.uint64)
    for back in range(length):
        context = _mixed(context, piece[back : back + count])
    return context, _mixed(context, piece[length : length + count])


def _mixed(key: Keys, rows: Rows) -> Keys:
    key = (key ^ (rows.astype(np.uint64) + np.uint64(1))) * _MULTIPLIER
    return key ^ (key >> np.uint64(29))
