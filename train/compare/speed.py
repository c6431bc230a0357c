"""How fast a model trains and plays, in seconds of this process's processor time, one thread, all models in turn."""

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
"""Does something to so many tokens."""

EARLY, LATE = 100, 10_000
"""Tokens that a stream has had when its speed is measured."""
ROUNDS = 5
_STEPS = 2
_TOKENS = 64


@dataclass(frozen=True, slots=True)
class GenerationProbe:
    """An engine, the states in which it had taken in `EARLY` and `LATE` tokens of `rows`, which go on from there."""

    engine: Engine
    rows: list[int]
    early: State
    late: State

    @property
    def kind(self) -> str:
        """`native` or `numpy`, as `engine:` of a station names it."""
        return "native" if isinstance(self.engine, NativeEngine) else "numpy"

    def works(self) -> tuple[Workload, Workload]:
        """Generating from the early state on, and from the late one: a token a step, as on air."""
        return self._from(self.early, EARLY), self._from(self.late, LATE)

    def _from(self, state: State, mark: int) -> Workload:
        def run() -> int:
            now = state
            for row in self.rows[mark : mark + _TOKENS]:
                _, now = self.engine.step([row], now)
            return _TOKENS

        return run


def require_one_thread() -> None:
    """Raises SettingsError where numpy would take more, which processor time would count as one's own."""
    if os.environ.get("OPENBLAS_NUM_THREADS", os.environ.get("OMP_NUM_THREADS")) != "1":
        raise SettingsError("speeds are compared on one thread: set OMP_NUM_THREADS=1 in the environment")


def in_turn(works: Mapping[str, Workload], *, rounds: int) -> dict[str, float]:
    """Tokens a second of each: the median of some rounds in which all have their turn, after one to warm up."""
    for work in works.values():
        work()
    speeds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            began = time.process_time()
            done = work()
            speeds[name].append(done / (time.process_time() - began))
    return {name: statistics.median(found) for name, found in speeds.items()}


def training(recipe: Recipe) -> Workload:
    """Optimiser steps of `recipe` on its corpus, all that there is to them but reading the tokens."""
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
            with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bf16-mixed"):
                total, count, state = module.losses(batch, state)
            (total / count).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            module.on_before_optimizer_step(optimizer)
            optimizer.step()
            optimizer.zero_grad()
        return _STEPS * recipe.lanes * recipe.window

    return run


def piece(validation: list[Tokens], table: RowTable) -> list[int]:
    """Rows of validation music, `LATE` of them and what is played after them."""
    rows: list[int] = []
    while len(rows) < LATE + _TOKENS:
        for each in validation:
            rows += table.rows(each).tolist()
    return rows[: LATE + _TOKENS]


def playing(engine: Engine, rows: list[int]) -> GenerationProbe:
    """Let `engine` take in a `piece`."""
    _, early = engine.step(rows[:EARLY], engine.zero_state())
    _, late = engine.step(rows[EARLY:LATE], early)
    return GenerationProbe(engine, rows, early, late)
