"""What a run leaves on disk, read back with care: a checkpoint may be foreign, or cut short by whatever killed it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor

from radio.errors import ModelError, SettingsError
from train.recipe import Recipe


@dataclass(frozen=True)
class StoredRun:
    """A checkpoint of `train fit`: recipe, module weights, the next step, and tokens seen before this run began."""

    recipe: Recipe
    state_dict: dict[str, Tensor]
    next_step: int
    tokens_before: int


def stored_run(path: Path) -> StoredRun:
    """Read a run's checkpoint to the CPU. Raises ModelError where the file is not one."""
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        return StoredRun(Recipe(**stored["recipe"]), stored["state_dict"], stored["next_step"], stored["tokens_before"])
    except (OSError, RuntimeError, KeyError, TypeError, EOFError, UnpicklingError, SettingsError) as error:
        raise ModelError(f"{path}: not a checkpoint of `train fit`, or cut short ({error})") from error
