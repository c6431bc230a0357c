"""Where a run writes its figures, and the curve read back from there."""

from __future__ import annotations

import csv
import hashlib
from importlib.util import find_spec
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger

from radio.errors import SettingsError
from train.loop.recipe import Recipe


def loggers(run: Path, recipe: Recipe, start: int, wandb: str | None = None) -> list[Logger]:
    """CSV and TensorBoard below `run`/log, and a project of Weights & Biases if one is named.

    Args:
        start: the step that the run goes on from. Each start has a table and an event file of its own; what an earlier
            one wrote beyond that step, before it was killed, is overwritten by the readers' own rules.

    Raises:
        SettingsError: `wandb` is named and not installed.
    """
    found: list[Logger] = [
        CSVLogger(run, name="log", version=f"from-{start}"),
        TensorBoardLogger(run, name="log", version="tensorboard", default_hp_metric=False, purge_step=start),
    ]
    if wandb is not None:
        if find_spec("wandb") is None:
            raise SettingsError("--wandb: it is not installed; pip install -e '.[wandb]' brings it")
        # the folder names the run, so that one that is taken up again goes on there too
        name = hashlib.sha256(str(run.resolve()).encode()).hexdigest()[:12]
        logger = WandbLogger(project=wandb, name=run.name, id=name, save_dir=run, resume="allow")
        logger.log_hyperparams(recipe.as_dict())
        found.append(logger)
    return found


def curve(run: Path) -> list[tuple[int, float]]:
    """(step, validation bits) of a run, from its logs: one folder each time the run was taken up again."""
    points: dict[int, float] = {}
    for log in sorted(run.glob("log/from-*/metrics.csv"), key=lambda path: int(path.parent.name.partition("-")[2])):
        with log.open(newline="") as file:
            points |= {int(row["step"]): float(row["val_bits"]) for row in csv.DictReader(file) if row.get("val_bits")}
    return sorted(points.items())
