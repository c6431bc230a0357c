from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from train.data.vocabulary import RowTable, known_tokens
from train.loop import precision
from train.loop.batches import Batch
from train.loop.module import TrainingModule
from train.loop.recipe import Recipe


@pytest.mark.parametrize("native", [True, False])
def test_products_use_bfloat16_if_the_recipe_requests_it_and_the_processor_has_it(
    recipe: Recipe, native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: native)
    for wanted in ("bf16-mixed", "32-true"):
        module = TrainingModule(replace(recipe, precision=wanted), RowTable(recipe.played, known_tokens(recipe.played)))
        formats: list[torch.dtype] = []
        matrix = module.model.get_submodule("head")
        matrix.register_forward_hook(lambda _, __, output, formats=formats: formats.append(output.dtype))
        batch = Batch(torch.from_numpy(np.ones((1, 9), np.int64)), torch.ones(1, dtype=torch.bool), 0)
        module.losses(batch, module.model.zero_state(1))
        assert formats == [torch.bfloat16 if native and wanted == "bf16-mixed" else torch.float32]
