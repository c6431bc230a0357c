"""A back-off n-gram, the baseline that a model must beat.

Witten–Bell interpolation: with C(h) the count of context h and T(h) the number of different tokens that followed it,
p(t|h) = (c(h, t) + T(h) · p(t|h')) / (C(h) + T(h)), where h' is h without its oldest token; without context, 1/V.
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
    """Token counts over pieces of rows 0 … V − 1. Contexts do not cross the start of a piece.

    Contexts are stored as 64-bit hashes, so that counting is sorting. Among 10⁸ contexts a collision has a chance of
    one in four thousand, and changes one count.
    """

    def __init__(self, pieces: Iterable[Rows], vocabulary: int, *, order: int = 5) -> None:
        self.vocabulary = vocabulary
        self.order = order
        counted = list(pieces)
        self._tables = [_Table(counted, length) for length in range(order)]

    def nats(self, piece: Rows, sampled: npt.NDArray[np.bool_], order: int | None = None) -> tuple[float, int]:
        """Return the summed nats of the tokens of `piece` whose rows are `sampled`, and their number.

        Args:
            order: Use only contexts shorter than this; all by default.
        """
        probability = np.full(len(piece), 1 / self.vocabulary)
        for length, table in enumerate(self._tables[:order]):
            count, total, kinds = table.look_up(*_hashed(piece, length))
            seen = total > 0
            backed_off = probability[length:]
            backed_off[seen] = (count[seen] + kinds[seen] * backed_off[seen]) / (total[seen] + kinds[seen])
        counted = sampled[piece]
        counted[:1] = False  # the first token has no predecessor, and models do not predict it either
        return float(-np.log(probability[counted]).sum()), int(counted.sum())

    def bits(self, pieces: Sequence[Rows], sampled: npt.NDArray[np.bool_], order: int | None = None) -> float:
        """Return the bits per sampled token over `pieces`."""
        sums = [self.nats(piece, sampled, order) for piece in pieces]
        return sum(nats for nats, _ in sums) / max(1, sum(count for _, count in sums)) / math.log(2)


class _Table:
    """Counts for contexts of one length: of (context, token) pairs, of contexts, and of their different tokens."""

    def __init__(self, pieces: Sequence[Rows], length: int) -> None:
        hashed = [_hashed(piece, length) for piece in pieces]
        contexts = np.concatenate([context for context, _ in hashed])
        events = np.concatenate([event for _, event in hashed])
        self._events, first, self._counts = np.unique(events, return_index=True, return_counts=True)
        self._contexts, place = np.unique(contexts[first], return_inverse=True)
        self._totals = np.bincount(place, weights=self._counts)
        self._kinds = np.bincount(place)

    def look_up(self, contexts: Keys, events: Keys) -> tuple[Numbers, Numbers, Numbers]:
        """Return c(h, t), C(h) and T(h) for each pair; zeros for unseen contexts and pairs."""
        known_event, event = _search(self._events, events)
        known_context, context = _search(self._contexts, contexts)
        return (
            np.where(known_event, self._counts[event], 0).astype(np.float64),
            np.where(known_context, self._totals[context], 0).astype(np.float64),
            np.where(known_context, self._kinds[context], 0).astype(np.float64),
        )


def _search(keys: Keys, queries: Keys) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    place = np.minimum(np.searchsorted(keys, queries), len(keys) - 1)
    return keys[place] == queries, place


def _hashed(piece: Rows, length: int) -> tuple[Keys, Keys]:
    """Return two hashes for each token with `length` predecessors: of these, and of these with the token."""
    count = max(0, len(piece) - length)
    context = np.full(count, length + 1, dtype=np.uint64)
    for back in range(length):
        context = _mixed(context, piece[back : back + count])
    return context, _mixed(context, piece[length : length + count])


def _mixed(key: Keys, rows: Rows) -> Keys:
    key = (key ^ (rows.astype(np.uint64) + np.uint64(1))) * _MULTIPLIER
    return key ^ (key >> np.uint64(29))
