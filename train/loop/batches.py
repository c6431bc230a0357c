"""Batches of training and validation: each lane reads an endless stream of pieces, window after window.

A lane's next window continues where the previous one ended, so the model's state is carried from batch to batch, and
training sees endless music, as the radio does. Every position is a function of (seed, lane, window), so a resumed run
continues exactly where it stopped, even on another number of devices. Pieces follow each other without padding. A step
of 32 × 512 tokens is read in 0.2 ms, so the data loaders need no workers.
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
from train.data.shared_trunk import Corpus
from train.data.vocabulary import Rows, Table
from train.loop.recipe import Recipe

KEYS = range(-6, 6)
DROPPED = (0.0, 0.0, 0.5, 1.0)
"""Shares of a piece's attributes that training drops, one drawn each time the piece is read. The host drops none."""
VALIDATION_LANES = 16
VALIDATION_WINDOWS = 12
"""Windows of each lane in every validation: about 50,000 tokens with windows of 256."""


@dataclass
class Batch:
    """The tokens of a step, or of one of its slices."""

    rows: Tensor
    """(B, T + 1): the inputs and, shifted by one, the targets."""
    fresh: Tensor
    """(B,): True for lanes whose state starts from zero."""
    step: int
    first: int = 0
    """The number of the first lane."""
    sampled: int = 0
    """The targets with loss in this device's whole step."""
    ends: bool = True
    """True for the last slice of a step."""


class TrainingBatches(IterableDataset[Batch]):
    """Endless training batches, starting at step `start`.

    Args:
        pieces: Each draw transposes a piece to one of twelve keys (pitched parts) and moves its velocities.
        lanes: B, of all devices together.
        window: T.
        louder: The maximum change of velocities, in bins, up or down. Bins are exponential, so it raises the mean.
        share: The lanes to read on this device; all by default.
        slices: The number of batches that the lanes of a step are divided into.
        weights: The relative frequency of each piece; None for equal frequencies.
        fresh_share: The share of windows that start from the initial state, so that the model also learns to begin.
    """

    def __init__(
        self,
        pieces: Sequence[Tokens],
        table: Table,
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
                for place in range(0, len(streams), size):
                    yield Batch(
                        torch.from_numpy(rows[place : place + size]),
                        torch.from_numpy(fresh[place : place + size]),
                        step,
                        first=self.share[place],
                        sampled=sampled,
                        ends=place + size == len(streams),
                    )
            step += 1

    def _stream(self, lane: int) -> Iterator[Rows]:
        """Yield windows of T + 1 rows; each begins with the last row of the previous one."""
        generator = np.random.default_rng([self.seed, lane])
        buffer: Rows = np.zeros(0, dtype=np.int64)
        while True:
            while len(buffer) <= self.window:
                piece = self.pieces[self._draw_piece(generator)]
                semitones = int(generator.choice(KEYS)) if self.table.is_pitched else 0
                louder = int(generator.integers(-self.louder, self.louder, endpoint=True))
                rows = self.table.rows(piece, semitones=semitones, louder=louder)
                buffer = np.concatenate([buffer, self._with_some_attributes(rows, generator)])
            yield buffer[: self.window + 1].copy()
            buffer = buffer[self.window :]

    def _with_some_attributes(self, rows: Rows, generator: np.random.Generator) -> Rows:
        """Drop none, half or all of a piece's attributes, so that the model can also play without them."""
        if not self.table.attributes.any():
            return rows
        dropped = self.table.attributes[rows] & (generator.random(len(rows)) < generator.choice(DROPPED))
        left: Rows = rows[~dropped]
        return left

    def _draw_piece(self, generator: np.random.Generator) -> int:
        """Return the index of the next piece."""
        if self._shares is None:
            return int(generator.integers(len(self.pieces)))
        return min(int(np.searchsorted(self._shares, generator.random(), side="right")), len(self.pieces) - 1)


def validation_batches(
    pieces: Sequence[Tokens], table: Table, *, lanes: int, window: int, fewest: int = 1, limit: int | None = None
) -> list[Batch]:
    """Join the validation pieces, and cut them into at most `lanes` equal lanes of at least one window.

    Pieces keep their keys and velocities.

    Args:
        fewest: The minimum number of lanes, even if they are shorter than a window.
        limit: The approximate number of tokens to use, taken from the beginnings of all lanes.
    """
    rows = np.concatenate([table.rows(piece) for piece in pieces])
    lanes = max(fewest, min(lanes, len(rows) // window))
    length = len(rows) // lanes
    if limit is not None:
        length = min(length, max(2, limit // lanes))
    joined = rows[: lanes * (len(rows) // lanes)].reshape(lanes, -1)[:, :length]
    return [
        Batch(
            torch.from_numpy(np.ascontiguousarray(joined[:, start : start + window + 1])),
            torch.full((lanes,), start == 0),
            number,
        )
        for number, start in enumerate(range(0, length - 1, window))
    ]


def share_of(lanes: int, rank: int, ranks: int) -> range:
    """Return the adjacent lanes that device `rank` of `ranks` reads, so that the lanes of all devices are in order."""
    count = lanes // ranks
    return range(rank * count, (rank + 1) * count)


class TokenData(lightning.LightningDataModule):
    """The batches of a recipe, starting at step `start`. Each device loads its own lanes."""

    def __init__(
        self,
        recipe: Recipe,
        table: Table,
        corpus: Corpus,
        *,
        start: int,
    ) -> None:
        super().__init__()
        self.recipe = recipe
        self.table = table
        self.corpus = corpus
        self.start = start

    def train_dataloader(self) -> DataLoader[Batch]:
        recipe, trainer = self.recipe, self.trainer
        lanes = TrainingBatches(
            self.corpus.training,
            self.table,
            lanes=recipe.lanes,
            window=recipe.window,
            louder=recipe.louder,
            seed=recipe.seed,
            start=self.start,
            weights=self.corpus.weights,
            share=share_of(recipe.lanes, trainer.global_rank, trainer.world_size) if trainer else None,
            slices=recipe.slices,
        )
        return DataLoader(lanes, batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch]:
        rank, ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        batches = validation_batches(
            self.corpus.validation,
            self.table,
            lanes=VALIDATION_LANES,
            window=self.recipe.window,
            fewest=ranks,  # the trainer refuses a device without batches
            limit=VALIDATION_LANES * VALIDATION_WINDOWS * self.recipe.window,
        )
        own_batches = [Batch(batch.rows[rank::ranks], batch.fresh[rank::ranks], batch.step) for batch in batches]
        return DataLoader(own_batches, batch_size=None)  # type: ignore[arg-type]
