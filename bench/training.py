"""A training step on the CPU compared with the same step in plain PyTorch, in turn in one process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from bench.measurement import BenchmarkSetup, Measurement, shown
from bench.plain_rwkv6 import PlainStep
from bench.timers import in_turn, timed
from kernels import cpu_train
from radio.errors import ModelError
from radio.model.spec.rwkv import Rwkv6Spec
from radio.music.parts import PIANO
from train.data.vocabulary import RowTable, known_tokens
from train.loop.batches import Batch
from train.loop.fit import prepare_machine
from train.loop.module import TrainingModule
from train.loop.recipe import Recipe
from train.networks.rwkv6 import Rwkv6

LANES, WINDOW = 16, 256
SHAPES = {"6 × 256": (6, 256), "8 × 256": (8, 256), "4 × 192": (4, 192)}
"""Layers and width: about seven million parameters, the size of the target, and the shipped models."""
TARGET = 2.2
"""The ratio that a processor with AVX-512 and bfloat16 reaches, idle or busy."""
ROUNDS = 3


class OurStep:
    """A step of `train fit` without Lightning: its loss, precision, clipping and optimizer."""

    def __init__(self, recipe: Recipe, table: RowTable, rows: Tensor) -> None:
        self.module = TrainingModule(recipe, table).train()
        self.optimizer = self.module.configure_optimizers()["optimizer"]
        self.batch = Batch(rows, torch.ones(len(rows), dtype=torch.bool), 0)
        self.state = self.module.model.zero_state(len(rows))
        self.loss = torch.zeros(())

    def forward(self) -> None:
        total, count, self.state = self.module.losses(self.batch, self.state)
        self.loss = total / count

    def backward(self) -> None:
        self.optimizer.zero_grad()
        self.loss.backward()  # type: ignore[no-untyped-call]

    def update(self) -> None:
        self.module.on_before_optimizer_step(self.optimizer)
        self.optimizer.step()

    def __call__(self) -> float:
        self.forward()
        self.backward()
        self.update()
        return self.batch.rows[:, 1:].numel()


def measure(setup: BenchmarkSetup) -> Iterator[Measurement]:
    """Measure training. Only the effort of `setup` is used: a lower one makes batches smaller.

    Raises:
        ModelError: The operators in C are not available.
    """
    if not cpu_train.available():
        raise ModelError(f"the training operators in C are not available: {cpu_train.missing_reason()}")
    lanes = max(1, round(LANES * min(1.0, setup.effort)))
    threads, cores = torch.get_num_threads(), len(os.sched_getaffinity(0))
    try:
        for name, (layers, width) in SHAPES.items():
            yield _on(1, name, *_steps(layers, width, lanes), timed)
        name = next(iter(SHAPES))
        ours, plain = _steps(*SHAPES[name], lanes)
        yield _on(cores, name, ours, plain, _timed_by_wall_clock)
        torch.set_num_threads(1)
        yield from _split(name, ours)
    finally:
        torch.set_num_threads(threads)


def _steps(layers: int, width: int, lanes: int) -> tuple[OurStep, Callable[[], float]]:
    """Return our step and the plain one, both over the same batch."""
    recipe = Recipe("piano", "", layers, width, tokens=10**9, lanes=lanes, window=WINDOW)
    prepare_machine(recipe)
    table = RowTable(PIANO, known_tokens(PIANO))
    rows = torch.randint(len(table.tokens), (lanes, WINDOW + 1), generator=torch.Generator().manual_seed(0))
    ours = OurStep(recipe, table, rows)
    step = PlainStep(Rwkv6(Rwkv6Spec(layers, width, len(table.tokens))))
    state = step.model.zero_state(lanes)

    def plain() -> float:
        nonlocal state
        _, state = step(rows, state)
        return lanes * WINDOW

    return ours, plain


def _on(
    threads: int, name: str, ours: OurStep, plain: Callable[[], float], clock: Callable[..., Callable[[], float]]
) -> Measurement:
    torch.set_num_threads(threads)
    ours()
    plain()
    fast, slow = in_turn(clock(ours), clock(plain), rounds=ROUNDS)
    millions = sum(parameter.numel() for parameter in ours.module.parameters()) / 1e6
    where = f"{name} ({millions:.1f} M), {threads} {'core' if threads == 1 else 'cores'}"
    return Measurement(
        f"{where}, against plain PyTorch", fast / slow, "×", TARGET,
        absolute=f"{shown(fast, 'tokens/s')}; {shown(slow, 'tokens/s')}",
    )  # fmt: skip


def _timed_by_wall_clock(work: Callable[[], float]) -> Callable[[], float]:
    """Return the work per second of wall time, since waiting threads use processor time too."""

    def measure() -> float:
        began = time.perf_counter()
        return work() / (time.perf_counter() - began)

    return measure


def _split(name: str, ours: OurStep) -> Iterator[Measurement]:
    """Measure the parts of a step in processor milliseconds on one core."""

    def took(part: Callable[[], None]) -> float:
        began = time.process_time()
        part()
        return 1e3 * (time.process_time() - began)

    parts = {"forward": ours.forward, "backward": ours.backward, "clipping and optimizer": ours.update}
    spent = in_turn(*(partial(took, part) for part in parts.values()), rounds=ROUNDS)
    for label, part in zip(parts, spent, strict=True):
        yield Measurement(f"{name}, 1 core, {label} of a step", part, "ms", absolute=f"{100 * part / sum(spent):.0f} %")
