"""The progress of a run: a bar in a terminal, a line per minute in a log file."""

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
    """The progress of a run at one moment. Times are seconds of one clock."""

    first: int
    """The step at which the run was started or resumed."""
    done: int
    """Steps done, including those of earlier starts."""
    steps: int
    """Steps of the whole run."""
    begun: float
    now: float
    tokens_per_step: int

    @property
    def tokens_per_second(self) -> float:
        """The speed since the start, including validation."""
        return (self.done - self.first) * self.tokens_per_step / max(1e-9, self.now - self.begun)

    @property
    def seconds_left(self) -> float:
        """The time until the end, at the same speed."""
        return (self.steps - self.done) * (self.now - self.begun) / max(1, self.done - self.first)

    def describe(self, figures: dict[str, float]) -> str:
        """Return a text such as `4,120 tokens/s, bits 2.31, validation 2.40, 0:12:04 left`."""
        parts = [f"{self.tokens_per_second:,.0f} tokens/s"]
        parts += [f"{label} {figures[name]:.3f}" for name, label in _FIGURES.items() if name in figures]
        minutes, seconds = divmod(round(self.seconds_left), 60)
        return ", ".join([*parts, f"{minutes // 60}:{minutes % 60:02}:{seconds:02} left"])


_FIGURES = {"bits": "bits", "val_bits": "validation"}


class ProgressReport(Callback):
    """A callback that reports the progress of a run on the first device's standard error.

    Time spent on validation counts, so the time left is wall-clock time.
    """

    def __init__(self, tokens_per_step: int, file: TextIO | None = None) -> None:
        self.tokens_per_step = tokens_per_step
        self.file = file or sys.stderr
        self._bar: Progress | None = None
        self._begun = self._reported = 0.0
        self._first = 0

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        self._begun = self._reported = time.monotonic()
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
        due = now - self._reported >= (BAR_SECONDS if self._bar else LINE_SECONDS)
        if not (batch.ends and trainer.is_global_zero and (due or last)):
            return
        self._reported = now
        progress = RunProgress(self._first, done, int(trainer.max_steps), self._begun, now, self.tokens_per_step)
        words = progress.describe({name: float(value) for name, value in trainer.callback_metrics.items()})
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=done, description=words)
        else:
            print(f"step {done:,} of {trainer.max_steps:,}: {words}", file=self.file, flush=True)

    def teardown(self, trainer: lightning.Trainer, module: lightning.LightningModule, stage: str) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None
