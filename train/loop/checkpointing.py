"""Keeps a run's checkpoints: the last, every so many steps and when somebody asks the run to stop, and the best."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import distributed

from train.loop.batches import Batch
from train.loop.devices import over_all

LAST = "last.ckpt"
BEST = "best.ckpt"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StoppedError(Exception):
    """A run was asked to stop and did, with its checkpoint written. `signal` is what asked."""

    def __init__(self, asked: signal.Signals, message: str) -> None:
        self.signal = asked
        super().__init__(message)


class Checkpointing(Callback):
    """Writes `run`/last.ckpt after every `every` steps, and after the step in which SIGINT or SIGTERM came.

    best.ckpt is written after every validation that needed fewer bits than all before. A second signal ends the process
    there and then, as it would without us.

    Raises:
        StoppedError: when that is done, from within the trainer.
    """

    def __init__(self, run: Path, every: int) -> None:
        self.last = run / LAST
        self.best = run / BEST
        self.every = every
        self._fewest_bits = math.inf
        self._asked = 0
        self._before: Mapping[int, Any] = {}

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        # Not before: Lightning's own handler for SIGTERM, which does not write a checkpoint, stands until here.
        self._before = {number: signal.signal(number, self._ask) for number in SIGNALS}

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, outputs: object, batch: Batch, index: int
    ) -> None:
        if not batch.ends:
            return
        asked, done = self._asked_of_any(trainer), batch.step + 1
        if asked or done % self.every == 0:
            trainer.save_checkpoint(self.last)
        if asked and trainer.is_global_zero:
            raise StoppedError(
                signal.Signals(asked),
                f"stopped after step {done} of {trainer.max_steps}; the same command goes on from {self.last}",
            )
        if asked:
            raise SystemExit(0)  # a device's process beside the one that tells

    def on_validation_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        bits = float(trainer.callback_metrics["val_bits"])
        if bits < self._fewest_bits:
            self._fewest_bits = bits
            trainer.save_checkpoint(self.best)

    def state_dict(self) -> dict[str, Any]:
        return {"fewest_bits": self._fewest_bits}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._fewest_bits = state_dict["fewest_bits"]

    def teardown(self, trainer: lightning.Trainer, module: lightning.LightningModule, stage: str) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _ask(self, number: int, _: FrameType | None) -> None:
        self._asked = number
        signal.signal(number, signal.SIG_DFL)
        # not print: the signal may have come in the middle of one
        os.write(2, b"\nFinishing this step and writing the checkpoint; once more ends it here and now.\n")

    def _asked_of_any(self, trainer: lightning.Trainer) -> int:
        """The signal that came, to whichever device's process: all must stop after the same step."""
        if trainer.world_size == 1:
            return self._asked
        asked = torch.tensor(self._asked, device=trainer.strategy.root_device)
        return int(over_all(asked, distributed.ReduceOp.MAX))
