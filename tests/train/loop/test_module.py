from __future__ import annotations

from dataclasses import replace

import pytest

from train.data.vocabulary import RowTable, known_tokens
from train.loop.module import TrainingModule
from train.loop.recipe import Recipe


@pytest.mark.parametrize(
    ("architecture", "vector", "matrix"),
    [
        ("rwkv6", "blocks.0.att.time_maa_x", "blocks.0.att.receptance.weight"),
        ("rwkv7", "blocks.0.att.x_r", "blocks.0.att.receptance.weight"),
    ],
)
def test_weight_decay_is_for_matrices_only(recipe: Recipe, architecture: str, vector: str, matrix: str) -> None:
    recipe = replace(recipe, architecture=architecture, weight_decay=0.1)
    module = TrainingModule(recipe, RowTable(recipe.played, known_tokens(recipe.played)))
    names = {parameter: name for name, parameter in module.model.named_parameters()}
    decays = {
        names[parameter]: group["weight_decay"]
        for group in module.configure_optimizers()["optimizer"].param_groups
        for parameter in group["params"]
    }
    assert decays.keys() == set(names.values())
    assert decays[vector] == 0.0  # of shape (1, 1, C), which counts as a vector
    assert decays[matrix] == 0.1
    assert all(
        (decay > 0) == (sum(size > 1 for size in module.model.get_parameter(name).shape) >= 2)
        for name, decay in decays.items()
    )
