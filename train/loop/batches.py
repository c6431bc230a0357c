"""Batches: lanes that each read one endless stream of pieces, window after window.

A lane's next window goes on where its last one ended, so the model's state can be carried from batch to batch and
training sees what the radio does: music without end. Every position is a function of (seed, lane, window), so a run
that is taken up again reads on exactly where it stopped, be it on another number of devices. Pieces follow on one
another without padding. Reading costs 0.2 ms a step of 32 × 512 tokens, and nothing waits for it: it needs no workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import lightning
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from train.data.binidx import Tokens
from train.data.vocabulary import Rows, RowTable
from train.loop.recipe import Recipe

KEYS = range(-6, 6)
VALIDATION_LANES = 16
VALIDATION_WINDOWS = 12
"""Of each lane, in every validation: about 50,000 tokens where a window has 256."""


@dataclass
class Batch:
    """The tokens of a step, or of one of its slices.

    rows (B, T + 1): inputs and, one later, targets. fresh (B,): lanes whose state starts from zero. step: its number.
    first: the number of its first lane. sampled: how many targets of this device's whole step carry loss. ends:
    whether the step is whole with it.
    """

    rows: Tensor
    fresh: Tensor
    step: int
    first: int = 0
    sampled: int = 0
    ends: bool = True


class TrainingBatches(IterableDataset[Batch]):
    """Training batches from `start` on, without end.

    Args:
        pieces: each is drawn anew in one of twelve keys (pitched parts) and with its velocities moved.
        lanes, window: B, of all devices together, and T.
        louder: by how many velocity bins at most, either way. Bins are exponential: to move them raises the mean.
        share: which of the lanes are read here; all where it is not given.
        slices: how many batches a step's lanes come in.
        weights: how often each piece is drawn beside the others; None: all alike.
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
        share: range | None = None,
        slices: int = 1,
        weights: npt.NDArray[np.float64] | None = None,
        fresh_share: float = 0.1,
    ) -> None:
        self.pieces = pieces
        self.table = table
        self.lanes = lanes
        self.window = window
        self.seed = seed
        self.start = start
        self.louder = louder
        self.share = range(lanes) if share is None else share
        self.slices = slices
        self._shares = None if weights is None else np.cumsum(weights) / np.sum(weights)
        self.fresh_share = fresh_share

    def __iter__(self) -> Iterator[Batch]:
        streams = [self._stream(lane) for lane in self.share]
        size = len(streams) // self.slices
        step = 0
        while True:
            rows = np.stack([next(stream) for stream in streams])
            if step >= self.start:
                drawn = np.random.default_rng([self.seed, self.lanes, step]).random(self.lanes)
                fresh = (drawn[self.share.start : self.share.stop] < self.fresh_share) | (step == 0)
                sampled = int((~self.table.forced[rows[:, 1:]]).sum())
                for at in range(0, len(streams), size):
                    yield Batch(
                        torch.from_numpy(rows[at : at + size]),
                        torch.from_numpy(fresh[at : at + size]),
                        step,
                        first=self.share[at],
                        sampled=sampled,
                        ends=at + size == len(streams),
                    )
            step += 1

    def _stream(self, lane: int) -> Iterator[Rows]:
        """Windows of T + 1 rows; each begins with the last row of the one before."""
        generator = np.random.default_rng([self.seed, lane])
        held: Rows = np.zeros(0, dtype=np.int64)
        while True:
            while len(held) <= self.window:
                piece = self.pieces[self._drawn(generator)]
                semitones = int(generator.choice(KEYS)) if self.table.part.note_offs else 0
                louder = int(generator.integers(-self.louder, self.louder, endpoint=True))
                held = np.concatenate([held, self.table.rows(piece, semitones=semitones, louder=louder)])
            yield held[: self.window + 1].copy()
            held = held[self.window :]

    def _drawn(self, generator: np.random.Generator) -> int:
        """The place of the next piece."""
        if self._shares is None:
            return int(generator.integers(len(self.pieces)))
        return min(int(np.searchsorted(self._shares, generator.random(), side="right")), len(self.pieces) - 1)


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


def share_of(lanes: int, rank: int, ranks: int) -> range:
    """The lanes that device `rank` of `ranks` reads: neighbours, so that all devices' in turn are in order."""
    each = lanes // ranks
    return range(rank * each, (rank + 1) * each)


class TokenData(lightning.LightningDataModule):
    """A recipe's batches, each device's share of them, from step `start` on; training pieces by their `weights`."""

    def __init__(
        self,
        recipe: Recipe,
        table: RowTable,
        training: Sequence[Tokens],
        validation: Sequence[Tokens],
        *,
        start: int,
        weights: npt.NDArray[np.float64] | None = None,
    ) -> None:
        super().__init__()
        self.recipe = recipe
        self.table = table
        self.training = training
        self.validation = validation
        self.start = start
        self.weights = weights

    def train_dataloader(self) -> DataLoader[Batch]:
        recipe, trainer = self.recipe, self.trainer
        lanes = TrainingBatches(
            self.training,
            self.table,
            lanes=recipe.lanes,
            window=recipe.window,
            louder=recipe.louder,
            seed=recipe.seed,
            start=self.start,
            weights=self.weights,
            share=share_of(recipe.lanes, trainer.global_rank, trainer.world_size) if trainer else None,
            slices=recipe.slices,
        )
        return DataLoader(lanes, batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch]:
        batches = validation_batches(
            self.validation,
            self.table,
            lanes=VALIDATION_LANES,
            window=self.recipe.window,
            limit=VALIDATION_LANES * VALIDATION_WINDOWS * self.recipe.window,
        )
        rank, ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        mine = [Batch(batch.rows[rank::ranks], batch.fresh[rank::ranks], batch.step) for batch in batches]
        return DataLoader([batch for batch in mine if len(batch.rows)], batch_size=None)  # type: ignore[arg-type]
