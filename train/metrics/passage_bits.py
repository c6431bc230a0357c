"""Bits per sampled token of passages, predicted by a model that starts from a given state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from radio.model.engines.base import Array, Engine, State
from train.data.binidx import Tokens
from train.data.vocabulary import Rows, RowTable

_LANES = 16


def bits_of_passages(engine: Engine, passages: Sequence[Tokens], table: RowTable, initial: State) -> float:
    """Return the bits per sampled token over all passages, each starting from the state `initial`."""
    nats, count = 0.0, 0
    lines = sorted((table.rows(passage) for passage in passages), key=len)
    for first in range(0, len(lines), _LANES):
        for losses in _losses(engine, lines[first : first + _LANES], table, initial):
            nats += float(losses.sum())
            count += len(losses)
    return nats / max(count, 1) / float(np.log(2))


def _losses(engine: Engine, lines: Sequence[Rows], table: RowTable, initial: State) -> Iterator[Array]:
    """Yield the nats of the sampled tokens at each place of `lines`, which are sorted by length."""
    states: Sequence[State] = [initial] * len(lines)
    for place in range(len(lines[-1]) - 1):
        ended = sum(len(line) <= place + 1 for line in lines)
        states, lines = list(states)[ended:], lines[ended:]
        logits, states = engine.step_batch([int(line[place]) for line in lines], states)
        targets = np.array([line[place + 1] for line in lines])
        peaks = logits.max(axis=1)
        nats = np.log(np.exp(logits - peaks[:, None]).sum(axis=1)) + peaks - logits[np.arange(len(lines)), targets]
        yield nats[~table.forced[targets]]
