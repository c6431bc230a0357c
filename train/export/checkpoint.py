"""Export of a run's checkpoint as safetensors that the radio plays, with a model card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from radio.model.weights.checkpoint import Checkpoint
from radio.model.weights.packing import WeightFormat
from radio.music.parts import Part
from radio.types import JsonValue
from train.data.vocabulary import known_tokens
from train.export import model_card as card_file
from train.loop.stored_run import load_module
from train.metrics.data_card import facts


def export(
    path: Path, out: Path, figures: Mapping[str, JsonValue], weight_format: WeightFormat, part: Part | None = None
) -> None:
    """Write the weights of the checkpoint `path` to `out`, and the card next to it as .json.

    Args:
        part: The part of a shared trunk to export.
        figures: The results of `train evaluate`, for the card; left out if they are of an earlier step.
        weight_format: The number format of the weights.

    Raises:
        ModelError: A weight is not finite, or `path` is not a checkpoint.
        SettingsError: `path` is of another part, or of a shared trunk without `part`.
    """
    module = load_module(path, part)
    recipe, corpus = module.recipe, Path(module.recipe.corpus)
    stored_recipe = recipe.as_dict() | {"corpus": corpus.name}  # without the path, which is private
    card: dict[str, JsonValue] = {
        "architecture": module.model.spec.title,
        "recipe": json.loads(json.dumps(stored_recipe)),
        "corpus": {"name": corpus.name, **facts(corpus)},
        "tokens_trained": module.tokens_before + module.next_step * recipe.lanes * recipe.window,
        "validation": dict(figures) if figures.get("steps", module.next_step) == module.next_step else {},
    }
    weights = {name: tensor.detach().float().numpy() for name, tensor in module.model.state_dict().items()}
    spec = module.model.spec
    card_file.write(out, Checkpoint(recipe.played, spec, known_tokens(recipe.played), weights, card), weight_format)
