"""What the baselines promise beyond what holds for every architecture: see
tests/model/engines/test_architectures.py."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from radio.model.engines.numpy_engines import open_numpy_engine
from radio.model.spec.baselines import BaselineSpec, CnnSpec, GruSpec, LstmSpec, RnnSpec, TransformerSpec
from tests.model.models import noisy, of_spec

ROWS = np.random.default_rng(5).integers(0, 437, 700).tolist()
SPECS = (
    RnnSpec(2, 64, 437),
    GruSpec(3, 64, 437),
    LstmSpec(2, 64, 437),
    CnnSpec(7, 64, 437, cycle=5),  # the cycle of distances begins again
    TransformerSpec(2, 64, 437, context=48),
)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.architecture)
def test_training_form_and_step_are_one_function_for_as_long_as_it_plays(spec: BaselineSpec) -> None:
    """Over many times what the CNN and the Transformer see; in windows shorter and longer than that, lanes and all."""
    model, engine = noisy(spec), open_numpy_engine(of_spec(spec))
    other = ROWS[::-1]
    state, parts = model.zero_state(2), []
    with torch.no_grad():
        for part in torch.tensor([ROWS, other]).split([150, 5, 145, 1, 300, 99], dim=1):
            logits, state = model(part, state)
            parts.append(logits)
    expected = torch.cat(parts, dim=1).numpy()
    for lane, rows in enumerate((ROWS, other)):
        stepped, found = engine.zero_state(), []
        for row in rows:
            logits, stepped = engine.step([row], stepped)
            found.append(logits)
        np.testing.assert_allclose(np.stack(found), expected[lane], atol=2e-4, rtol=1e-3)
