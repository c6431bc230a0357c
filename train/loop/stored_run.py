"""Checkpoints of `train fit` read from disk. A file may have another format, or be truncated by a crash."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from radio.errors import ModelError, SettingsError
from radio.music.parts import Part
from train.data.shared_trunk import SHARED, SHARING, SharedTable, table_of
from train.loop.module import TrainingModule
from train.loop.recipe import Recipe


@dataclass(frozen=True)
class StoredRun:
    """A checkpoint of `train fit`."""

    recipe: Recipe
    state_dict: dict[str, Tensor]
    """The weights of the module."""
    next_step: int
    tokens_before: int
    """Tokens that the initial weights were trained on before this run."""


def stored_run(path: Path) -> StoredRun:
    """Read a run's checkpoint to the CPU. Raises ModelError if the file is not a checkpoint."""
    if not path.exists():
        raise ModelError(f"{path}: no such file; `python -m train fit` writes it")
    try:
        stored = _gathered(path) if path.is_dir() else torch.load(path, map_location="cpu", weights_only=True)
        return StoredRun(Recipe(**stored["recipe"]), stored["state_dict"], stored["next_step"], stored["tokens_before"])
    except (OSError, RuntimeError, KeyError, TypeError, EOFError, UnpicklingError, SettingsError) as error:
        raise ModelError(f"{path}: not a checkpoint of `train fit`, or truncated ({error})") from error


def load_module(path: Path, part: Part | None = None) -> TrainingModule:
    """Return the module of a run's checkpoint.

    Args:
        part: The part of a shared trunk: its model is the trunk with the rows of this part.

    Raises:
        ModelError: The file is not a checkpoint, or a weight is not finite.
        SettingsError: The run is of another part.
    """
    stored = stored_run(path)
    recipe, weights = stored.recipe, stored.state_dict
    if part is not None and recipe.part == SHARED:
        if part not in SHARING:
            raise SettingsError(f"{path}: a shared trunk has no {part.name} part")
        recipe = replace(recipe, part=part.name, corpus=str(Path(recipe.corpus) / part.name))
        rows = SharedTable().rows_of(part)
        own = {name: weights[name][rows.start : rows.stop] for name in ("model.emb.weight", "model.head.weight")}
        weights = weights | own
    elif part is not None and part is not recipe.played:
        raise SettingsError(f"{path}: this is a {recipe.part} model, not a {part.name} model")
    module = TrainingModule(recipe, table_of(recipe.part))
    module.load_state_dict(weights)
    if broken := [name for name, tensor in module.model.state_dict().items() if not tensor.isfinite().all()]:
        raise ModelError(
            f"{path}: weights are not finite ({', '.join(broken[:3])}): the training failed; use a lower rate"
        )
    module.next_step = stored.next_step
    module.tokens_before = stored.tokens_before
    return module.eval()


def _gathered(folder: Path) -> dict[str, Any]:
    """Return the parts that DeepSpeed wrote to a folder as one checkpoint, like those of other strategies."""
    try:
        from deepspeed.utils.zero_to_fp32 import get_fp32_state_dict_from_zero_checkpoint
    except ImportError:
        raise ModelError(
            f"{folder}: written by DeepSpeed, which is needed to read it; run pip install -e '.[deepspeed]'"
        ) from None
    # This unpickles classes of DeepSpeed, which is as safe as the program that wrote the run's folder.
    stored: dict[str, Any] = torch.load(
        folder / "checkpoint" / "mp_rank_00_model_states.pt", map_location="cpu", weights_only=False
    )
    stored["state_dict"] = get_fp32_state_dict_from_zero_checkpoint(str(folder), "checkpoint")
    return stored
