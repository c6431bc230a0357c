"""Properties of all architectures: training and stepping agree, whole or in parts, and checkpoints keep the model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from radio.errors import ModelError
from radio.model.engines.base import State
from radio.model.engines.numpy_engines import open_numpy_engine
from radio.model.engines.selection import open_engine
from radio.model.spec.architectures import ARCHITECTURES
from radio.model.spec.rwkv import Spec
from radio.model.weights import checkpoint as checkpoints
from radio.model.weights.packing import WEIGHT_FORMATS, WeightFormat
from tests.model.models import random_checkpoint, random_network
from train.networks.architectures import MODELS, size_spec
from train.networks.base import detach, with_fresh

all_architectures = pytest.mark.parametrize("name", list(ARCHITECTURES))
ROWS = np.random.default_rng(3).integers(0, 437, 150).tolist()


def make_spec(name: str) -> Spec:
    return size_spec(name, layers=2, width=128, vocabulary=437, dropout=0.0)


def test_every_trainable_architecture_can_be_played() -> None:
    assert set(MODELS) == set(ARCHITECTURES)
    assert all(name == spec.architecture for name, spec in ARCHITECTURES.items())


@all_architectures
def test_the_parameters_are_the_arrays_of_the_checkpoint(name: str) -> None:
    spec = make_spec(name)
    assert {
        array: tuple(parameter.shape) for array, parameter in random_network(spec).state_dict().items()
    } == spec.shapes()


@all_architectures
def test_training_and_stepping_agree(name: str) -> None:
    checkpoint = random_checkpoint(make_spec(name))
    model, engine = random_network(checkpoint.spec), open_numpy_engine(checkpoint)
    with torch.no_grad():
        expected, _ = model(torch.tensor([ROWS]), model.zero_state(1))
    state, stepped = engine.zero_state(), []
    for row in ROWS:
        logits, state = engine.step([row], state)
        stepped.append(logits.copy())
    np.testing.assert_allclose(np.stack(stepped), expected[0].numpy(), atol=2e-4, rtol=1e-3)


@all_architectures
def test_training_on_parts_equals_training_on_the_whole(name: str) -> None:
    model = random_network(make_spec(name))
    rows = torch.tensor([ROWS, ROWS[::-1]])
    with torch.no_grad():
        whole, _ = model(rows, model.zero_state(2))
        state, parts = model.zero_state(2), []
        for part in rows.split([1, 61, 80, 8], dim=1):
            logits, state = model(part, state)
            parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-4, rtol=1e-4)


@all_architectures
def test_a_fresh_lane_starts_empty_and_the_others_keep_their_state(name: str) -> None:
    model = random_network(make_spec(name))
    with torch.no_grad():
        _, state = model(torch.tensor([ROWS[:50], ROWS[50:100]]), model.zero_state(2))
        mixed = with_fresh(detach(state), model.zero_state(2), torch.tensor([True, False]))
        after = torch.tensor([ROWS[100:], ROWS[100:]])
        logits, _ = model(after, mixed)
        fresh, _ = model(after, model.zero_state(2))
        continued, _ = model(after, state)
    torch.testing.assert_close(logits[0], fresh[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(logits[1], continued[1], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(fresh[1], continued[1], atol=1e-3)


@all_architectures
@pytest.mark.parametrize("weight_format", WEIGHT_FORMATS)
def test_a_checkpoint_survives_a_round_trip(name: str, weight_format: WeightFormat, tmp_path) -> None:
    written = random_checkpoint(make_spec(name))
    checkpoints.write(tmp_path / "a.safetensors", written, weight_format)
    loaded = checkpoints.read(tmp_path / "a.safetensors")
    assert (loaded.spec, loaded.tokens, loaded.part, loaded.card) == (
        written.spec,
        written.tokens,
        written.part,
        written.card,
    )
    tolerance = {"fp32": 0.0, "bf16": 1 / 256, "int8": 1 / 64}[weight_format]
    for key, array in written.weights.items():
        assert np.abs(loaded.weights[key] - array).max() <= tolerance * np.abs(array).max(), key
    engine = open_engine(loaded)
    logits, state = engine.step(ROWS, engine.zero_state())
    assert np.isfinite(logits).all()
    stepped, (_,) = engine.step_batch([ROWS[0]], [state])
    np.testing.assert_allclose(stepped[0], engine.step([ROWS[0]], state)[0], atol=1e-5)


@all_architectures
def test_continuing_from_a_saved_state_is_bit_identical(name: str) -> None:
    engine = open_engine(random_checkpoint(make_spec(name)))
    _, saved = engine.step(ROWS[:40], engine.zero_state())
    first, _ = engine.step(ROWS[40:80], saved)
    engine.step(ROWS[80:120], saved)
    copied = State(saved.memory.copy())
    for state in (saved, copied):
        np.testing.assert_array_equal(engine.step(ROWS[40:80], state)[0], first)


@all_architectures
def test_invalid_steps_are_rejected(name: str) -> None:
    engine = open_engine(random_checkpoint(make_spec(name)))
    with pytest.raises(ModelError, match="at least one token"):
        engine.step([], engine.zero_state())
    with pytest.raises(ModelError, match="row 437 is out of range; the model has rows 0 to 436"):
        engine.step([437], engine.zero_state())
    with pytest.raises(ModelError, match="a state of this model has"):
        engine.step([1], State(np.zeros((1, 2, 3), np.float32)))
