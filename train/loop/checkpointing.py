"""Checkpoints of a run: the last one, written at intervals and when the run is stopped, and the best one."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import distributed

from train.loop.batches import Batch
from train.loop.devices import reduce_all

LAST = "last.ckpt"
BEST = "best.ckpt"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StoppedError(Exception):
    """Raised after a signal stopped the run and its checkpoint was written."""

    def __init__(self, number: signal.Signals, message: str) -> None:
        self.signal = number
        super().__init__(message)


class Checkpointing(Callback):
    """A callback that writes `run`/last.ckpt after every `every` steps, and after SIGINT or SIGTERM.

    The last step is followed by a validation.
    best.ckpt is written after every validation with fewer bits than all before. The first signal lets the step finish,
    and its validation if it has one, which a resumed run would leave out; a second one ends the process immediately.

    Raises:
        StoppedError: After a signal, once the checkpoint is written; raised from within the trainer.
    """

    def __init__(self, run: Path, every: int, *, validate_every: int) -> None:
        self.last = run / LAST
        self.best = run / BEST
        self.every = every
        self.validate_every = validate_every
        self._validates = False
        """True if a run that is being stopped validates first."""
        self._fewest_bits = math.inf
        self._signal = 0
        self._handlers: Mapping[int, Any] = {}

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        # Lightning installs its own handler for SIGTERM earlier, which does not write a checkpoint.
        self._handlers = {number: signal.signal(number, self._on_signal) for number in SIGNALS}

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, outputs: object, batch: Batch, index: int
    ) -> None:
        if not batch.ends:
            return
        number, done = self._signal_of_any(trainer), batch.step + 1
        if done == trainer.max_steps:
            trainer.should_stop = True  # makes the trainer validate once more
        if number or done % self.every == 0:
            trainer.save_checkpoint(self.last)
        if not number:
            return
        if self._validates or not (done % self.validate_every == 0 or done == trainer.max_steps):
            self._stop(trainer, number, done)
        self._validates = True

    def on_validation_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        bits = float(trainer.callback_metrics["val_bits"])
        if bits < self._fewest_bits:
            self._fewest_bits = bits
            trainer.save_checkpoint(self.best)
        if number := self._signal_of_any(trainer):
            trainer.save_checkpoint(self.last)
            self._stop(trainer, number, trainer.global_step)

    def _stop(self, trainer: lightning.Trainer, number: int, done: int) -> NoReturn:
        if trainer.is_global_zero:
            raise StoppedError(
                signal.Signals(number),
                f"stopped after step {done} of {trainer.max_steps}; the same command continues from {self.last}",
            )
        raise SystemExit(0)  # the first device's process raises StoppedError

    def state_dict(self) -> dict[str, Any]:
        return {"fewest_bits": self._fewest_bits}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._fewest_bits = state_dict["fewest_bits"]

    def teardown(self, trainer: lightning.Trainer, module: lightning.LightningModule, stage: str) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._signal = number
        signal.signal(number, signal.SIG_DFL)
        # os.write is safe in a signal handler; print is not
        os.write(2, b"\nFinishing this step and writing the checkpoint; a second signal ends the run immediately.\n")

    def _signal_of_any(self, trainer: lightning.Trainer) -> int:
        """Return the signal that any device's process received, or 0: all must stop after the same step."""
        if trainer.world_size == 1:
            return self._signal
        number = torch.tensor(self._signal, device=trainer.strategy.root_device)
        return int(reduce_all(number, distributed.ReduceOp.MAX))
