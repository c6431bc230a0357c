"""Properties of the baselines beyond those of all architectures in tests/model/engines/test_architectures.py."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from radio.model.engines.numpy_engines import open_numpy_engine
from radio.model.spec.baselines import BaselineSpec, CnnSpec, GruSpec, LstmSpec, RnnSpec, TransformerSpec
from tests.model.models import random_checkpoint, random_network

ROWS = np.random.default_rng(5).integers(0, 437, 700).tolist()
SPECS = (
    RnnSpec(2, 64, 437),
    GruSpec(3, 64, 437),
    LstmSpec(2, 64, 437),
    CnnSpec(7, 64, 437, cycle=5),  # the cycle of distances restarts
    TransformerSpec(2, 64, 437, context=48),
)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.architecture)
def test_training_and_stepping_agree_over_long_sequences(spec: BaselineSpec) -> None:
    """The rows exceed the context of the CNN and the Transformer; some windows are shorter than it and some longer."""
    model, engine = random_network(spec), open_numpy_engine(random_checkpoint(spec))
    reverse = ROWS[::-1]
    state, parts = model.zero_state(2), []
    with torch.no_grad():
        for part in torch.tensor([ROWS, reverse]).split([150, 5, 145, 1, 300, 99], dim=1):
            logits, state = model(part, state)
            parts.append(logits)
    expected = torch.cat(parts, dim=1).numpy()
    for lane, rows in enumerate((ROWS, reverse)):
        engine_state, stepped = engine.zero_state(), []
        for row in rows:
            logits, engine_state = engine.step([row], engine_state)
            stepped.append(logits)
        np.testing.assert_allclose(np.stack(stepped), expected[lane], atol=2e-4, rtol=1e-3)
