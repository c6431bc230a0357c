"""What a run leaves on disk, read back with care: a checkpoint may be foreign, or cut short by whatever killed it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from radio.errors import ModelError, SettingsError
from train.data.vocabulary import RowTable, known_tokens
from train.loop.module import TrainingModule
from train.loop.recipe import Recipe


@dataclass(frozen=True)
class StoredRun:
    """A checkpoint of `train fit`: recipe, module weights, the next step, and tokens seen before this run began."""

    recipe: Recipe
    state_dict: dict[str, Tensor]
    next_step: int
    tokens_before: int


def stored_run(path: Path) -> StoredRun:
    """Read a run's checkpoint to the CPU. Raises ModelError where the file is not one."""
    if not path.exists():
        raise ModelError(f"{path}: no such file; `python -m train fit` writes it")
    try:
        stored = _gathered(path) if path.is_dir() else torch.load(path, map_location="cpu", weights_only=True)
        return StoredRun(Recipe(**stored["recipe"]), stored["state_dict"], stored["next_step"], stored["tokens_before"])
    except (OSError, RuntimeError, KeyError, TypeError, EOFError, UnpicklingError, SettingsError) as error:
        raise ModelError(f"{path}: not a checkpoint of `train fit`, or cut short ({error})") from error


def load_module(path: Path) -> TrainingModule:
    """The module that a run's checkpoint holds. Raises ModelError where the file is not one."""
    stored = stored_run(path)
    recipe = stored.recipe
    module = TrainingModule(recipe, RowTable(recipe.played, known_tokens(recipe.played)))
    module.load_state_dict(stored.state_dict)
    module.next_step = stored.next_step
    module.tokens_before = stored.tokens_before
    return module.eval()


def _gathered(folder: Path) -> dict[str, Any]:
    """What DeepSpeed wrote as a folder, each device its part, as the one checkpoint that other strategies write."""
    try:
        from deepspeed.utils.zero_to_fp32 import get_fp32_state_dict_from_zero_checkpoint
    except ImportError:
        raise ModelError(
            f"{folder}: written by DeepSpeed; pip install -e '.[deepspeed]' brings what reads it"
        ) from None
    # a pickle of DeepSpeed's own classes: a run's folder is as trustworthy as the program that one trains with
    stored: dict[str, Any] = torch.load(
        folder / "checkpoint" / "mp_rank_00_model_states.pt", map_location="cpu", weights_only=False
    )
    stored["state_dict"] = get_fp32_state_dict_from_zero_checkpoint(str(folder), "checkpoint")
    return stored
