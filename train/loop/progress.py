"""How far a run is: a bar in a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TextIO

import lightning
from lightning.pytorch.callbacks import Callback
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from train.loop.batches import Batch

BAR_SECONDS = 0.5
LINE_SECONDS = 60.0


@dataclass(frozen=True)
class RunProgress:
    """What there is to tell: steps done, of how many, since when (`begun` at the step `first`), in `now` seconds."""

    first: int
    done: int
    steps: int
    begun: float
    now: float
    tokens_per_step: int

    @property
    def tokens_per_second(self) -> float:
        return (self.done - self.first) * self.tokens_per_step / max(1e-9, self.now - self.begun)

    @property
    def seconds_left(self) -> float:
        return (self.steps - self.done) * (self.now - self.begun) / max(1, self.done - self.first)

    def words(self, figures: dict[str, float]) -> str:
        """As in `4,120 tokens/s, bits 2.31, validation 2.40, 0:12:04 left`."""
        told = [f"{self.tokens_per_second:,.0f} tokens/s"]
        told += [f"{words} {figures[name]:.3f}" for name, words in _FIGURES.items() if name in figures]
        minutes, seconds = divmod(round(self.seconds_left), 60)
        return ", ".join([*told, f"{minutes // 60}:{minutes % 60:02}:{seconds:02} left"])


_FIGURES = {"bits": "bits", "val_bits": "validation"}


class ProgressReport(Callback):
    """Tells how far the run is, on the first device's standard error.

    Validation counts as time: what is left is what the clock will say, and tokens a second are those of the whole run
    since it was taken up.
    """

    def __init__(self, tokens_per_step: int, file: TextIO | None = None) -> None:
        self.tokens_per_step = tokens_per_step
        self.file = file or sys.stderr
        self._bar: Progress | None = None
        self._begun = self._told = 0.0
        self._first = 0

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        self._begun = self._told = time.monotonic()
        self._first = trainer.global_step
        if trainer.is_global_zero:
            place = f"{trainer.world_size} × {trainer.strategy.root_device.type}"
            print(f"from step {self._first:,} of {trainer.max_steps:,} on {place}", file=self.file, flush=True)
        if self.file.isatty() and trainer.is_global_zero:
            self._bar = Progress(
                TextColumn("step {task.completed:,.0f} of {task.total:,.0f}"),
                BarColumn(20),
                TextColumn("{task.description}"),
                console=Console(file=self.file),
            )
            self._bar.add_task("", total=trainer.max_steps, completed=self._first)
            self._bar.start()

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, outputs: object, batch: Batch, index: int
    ) -> None:
        done, now = batch.step + 1, time.monotonic()
        last = done == trainer.max_steps
        due = now - self._told >= (BAR_SECONDS if self._bar else LINE_SECONDS)
        if not (batch.ends and trainer.is_global_zero and (due or last)):
            return
        self._told = now
        pace = RunProgress(self._first, done, int(trainer.max_steps), self._begun, now, self.tokens_per_step)
        words = pace.words({name: float(value) for name, value in trainer.callback_metrics.items()})
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=done, description=words)
        else:
            print(f"step {done:,} of {trainer.max_steps:,}: {words}", file=self.file, flush=True)

    def teardown(self, trainer: lightning.Trainer, module: lightning.LightningModule, stage: str) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None
