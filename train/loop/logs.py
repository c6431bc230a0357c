"""Loggers of a run, and its validation curve read from their files."""

from __future__ import annotations

import csv
import hashlib
import os
from importlib.util import find_spec
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger

from radio.errors import SettingsError
from train.loop.recipe import Recipe


def open_loggers(run: Path, recipe: Recipe, start: int, wandb: str | None = None) -> list[Logger]:
    """Return loggers to CSV and TensorBoard below `run`/log, and to a project of Weights & Biases if one is named.

    Args:
        start: The step that the run resumes from. Each start has its own table and event file. Readers ignore later
            steps of an earlier start, which it wrote before it was killed.

    Raises:
        SettingsError: `wandb` is named, but the package is not installed or has no key.
    """
    loggers: list[Logger] = [
        CSVLogger(run, name="log", version=f"from-{start}"),
        TensorBoardLogger(run, name="log", version="tensorboard", default_hp_metric=False, purge_step=start),
    ]
    if wandb is not None:
        if find_spec("wandb") is None:
            raise SettingsError("--wandb: Weights & Biases is not installed; run pip install -e '.[wandb]'")
        _check_key()
        # An id derived from the folder makes a resumed run continue the same run there.
        name = hashlib.sha256(str(run.resolve()).encode()).hexdigest()[:12]
        logger = WandbLogger(project=wandb, name=run.name, id=name, save_dir=run, resume="allow")
        logger.log_hyperparams(recipe.as_dict())
        loggers.append(logger)
    return loggers


def _check_key() -> None:
    """Raise SettingsError if Weights & Biases would ask for a key."""
    import wandb

    if os.environ.get("WANDB_MODE", "online") in ("online", "run") and not wandb.login(prompt=False):
        raise SettingsError("--wandb: there is no key; run `wandb login`, set WANDB_API_KEY, or set WANDB_MODE=offline")


def curve(run: Path) -> list[tuple[int, float]]:
    """Return (step, validation bits) of a run from its logs; each start of the run has its own folder."""
    points: dict[int, float] = {}
    for log in sorted(run.glob("log/from-*/metrics.csv"), key=lambda path: int(path.parent.name.partition("-")[2])):
        with log.open(newline="") as file:
            points |= {int(row["step"]): float(row["val_bits"]) for row in csv.DictReader(file) if row.get("val_bits")}
    return sorted(points.items())
