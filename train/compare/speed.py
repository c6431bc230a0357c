"""Speeds of training and generation, in processor time of one thread, with all models in turn."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import torch

from radio.errors import SettingsError
from radio.model.engines.base import Engine, State
from radio.model.engines.native_engine import NativeEngine
from train.data import binidx
from train.data.binidx import Tokens
from train.data.vocabulary import RowTable, known_tokens
from train.loop.batches import Batch, TrainingBatches
from train.loop.module import TrainingModule
from train.loop.recipe import Recipe

Workload: TypeAlias = Callable[[], int]
"""A function that processes tokens and returns their number."""

EARLY, LATE = 100, 10_000
"""Numbers of tokens after which the speed of a stream is measured."""
ROUNDS = 5
_STEPS = 2
_TOKENS = 64


@dataclass(frozen=True, slots=True)
class GenerationProbe:
    """An engine with its states after `EARLY` and `LATE` tokens of `rows`."""

    engine: Engine
    rows: list[int]
    early: State
    late: State

    @property
    def kind(self) -> str:
        """`native` or `numpy`, as in the setting `engine` of a station."""
        return "native" if isinstance(self.engine, NativeEngine) else "numpy"

    def workloads(self) -> tuple[Workload, Workload]:
        """Return workloads that generate from the early and from the late state, token by token as on air."""
        return self._from(self.early, EARLY), self._from(self.late, LATE)

    def _from(self, state: State, mark: int) -> Workload:
        def run() -> int:
            now = state
            for row in self.rows[mark : mark + _TOKENS]:
                _, now = self.engine.step([row], now)
            return _TOKENS

        return run


def require_one_thread() -> None:
    """Raise SettingsError if numpy may use several threads, whose processor time would add up."""
    if os.environ.get("OPENBLAS_NUM_THREADS", os.environ.get("OMP_NUM_THREADS")) != "1":
        raise SettingsError("speeds are measured on one thread; set OMP_NUM_THREADS=1 in the environment")


def in_turn(workloads: Mapping[str, Workload], *, rounds: int) -> dict[str, float]:
    """Return the tokens per second of each workload: medians over rounds that run each once, after a warm-up."""
    for workload in workloads.values():
        workload()
    speeds: dict[str, list[float]] = {name: [] for name in workloads}
    for _ in range(rounds):
        for name, workload in workloads.items():
            began = time.process_time()
            done = workload()
            speeds[name].append(done / (time.process_time() - began))
    return {name: statistics.median(rounds_of) for name, rounds_of in speeds.items()}


def training(recipe: Recipe) -> Workload:
    """Return a workload of whole optimizer steps of `recipe`; reading the tokens is not included."""
    table = RowTable(recipe.played, known_tokens(recipe.played))
    lanes = TrainingBatches(
        binidx.read(Path(recipe.corpus) / "train"), table, lanes=recipe.lanes, window=recipe.window, seed=recipe.seed
    )
    batches: list[Batch] = list(islice(lanes, _STEPS))
    module = TrainingModule(recipe, table)
    optimizer: torch.optim.Optimizer = module.configure_optimizers()["optimizer"]

    def run() -> int:
        state = module.model.zero_state(recipe.lanes)
        for batch in batches:
            total, count, state = module.losses(batch, state)
            (total / count).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            module.on_before_optimizer_step(optimizer)
            optimizer.step()
            optimizer.zero_grad()
        return _STEPS * recipe.lanes * recipe.window

    return run


def piece(validation: list[Tokens], table: RowTable) -> list[int]:
    """Return `LATE` rows of validation music, and the rows to generate after them."""
    rows: list[int] = []
    while len(rows) < LATE + _TOKENS:
        for tokens in validation:
            rows += table.rows(tokens).tolist()
    return rows[: LATE + _TOKENS]


def open_probe(engine: Engine, rows: list[int]) -> GenerationProbe:
    """Step `engine` through a `piece`, and keep its early and late states."""
    _, early = engine.step(rows[:EARLY], engine.zero_state())
    _, late = engine.step(rows[EARLY:LATE], early)
    return GenerationProbe(engine, rows, early, late)
