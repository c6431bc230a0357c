"""Batches: lanes that each read one endless stream of pieces, window after window.

A lane's next window goes on where its last one ended, so the model's state can be carried from batch to batch and
training sees what the radio does: music without end. Every position is a function of (seed, lane, window), so a run
that is taken up again reads on exactly where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from train.binidx import Tokens
from train.vocabulary import Rows, RowTable

KEYS = range(-6, 6)


@dataclass
class Batch:
    """A step's tokens.

    rows (B, T + 1): inputs and, one later, targets. fresh (B,): lanes whose state starts from zero. step: its number.
    """

    rows: Tensor
    fresh: Tensor
    step: int


class Lanes(IterableDataset[Batch]):
    """Training batches from `start` on, without end.

    Args:
        pieces: each is drawn anew in one of twelve keys (pitched parts) and with its velocities moved.
        lanes, window: B and T.
        louder: by how many velocity bins at most, either way. Bins are exponential: to move them raises the mean.
        fresh_share: how often a lane forgets its state, so that a start from silence is learnt too.
    """

    def __init__(
        self,
        pieces: Sequence[Tokens],
        table: RowTable,
        *,
        lanes: int,
        window: int,
        seed: int,
        start: int = 0,
        louder: int = 1,
        fresh_share: float = 0.1,
    ) -> None:
        self.pieces = pieces
        self.table = table
        self.lanes = lanes
        self.window = window
        self.seed = seed
        self.start = start
        self.louder = louder
        self.fresh_share = fresh_share

    def __iter__(self) -> Iterator[Batch]:
        streams = [self._stream(lane) for lane in range(self.lanes)]
        step = 0
        while True:
            rows = np.stack([next(stream) for stream in streams])
            if step >= self.start:
                drawn = np.random.default_rng([self.seed, self.lanes, step]).random(self.lanes)
                fresh = (drawn < self.fresh_share) | (step == 0)
                yield Batch(torch.from_numpy(rows), torch.from_numpy(fresh), step)
            step += 1

    def _stream(self, lane: int) -> Iterator[Rows]:
        """Windows of T + 1 rows; each begins with the last row of the one before."""
        generator = np.random.default_rng([self.seed, lane])
        held: Rows = np.zeros(0, dtype=np.int64)
        while True:
            while len(held) <= self.window:
                piece = self.pieces[int(generator.integers(len(self.pieces)))]
                semitones = int(generator.choice(KEYS)) if self.table.part.offs else 0
                louder = int(generator.integers(-self.louder, self.louder, endpoint=True))
                held = np.concatenate([held, self.table.rows(piece, semitones=semitones, louder=louder)])
            yield held[: self.window + 1].copy()
            held = held[self.window :]


def validation_batches(
    pieces: Sequence[Tokens], table: RowTable, *, lanes: int, window: int, limit: int | None = None
) -> list[Batch]:
    """The validation pieces laid end to end and cut into at most `lanes` equal lanes, each at least a window long.

    They are read as they are, in their own keys.

    Args:
        limit: use about this many tokens of each lane's front.
    """
    rows = np.concatenate([table.rows(piece) for piece in pieces])
    lanes = max(1, min(lanes, len(rows) // window))
    length = len(rows) // lanes
    if limit is not None:
        length = min(length, max(2, limit // lanes))
    laid = rows[: lanes * (len(rows) // lanes)].reshape(lanes, -1)[:, :length]
    return [
        Batch(
            torch.from_numpy(np.ascontiguousarray(laid[:, start : start + window + 1])),
            torch.full((lanes,), start == 0),
            number,
        )
        for number, start in enumerate(range(0, length - 1, window))
    ]
