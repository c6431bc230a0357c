"""What holds for every architecture: one set of arrays, one function in training and on air, whole or in pieces."""

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
from tests.model.models import noisy, of_spec
from train.networks.architectures import MODELS, sized
from train.networks.base import detached, with_fresh

each = pytest.mark.parametrize("word", list(ARCHITECTURES))
ROWS = np.random.default_rng(3).integers(0, 437, 150).tolist()


def spec_of(word: str) -> Spec:
    return sized(word, layers=2, width=128, vocabulary=437, dropout=0.0)


def test_all_that_can_be_trained_can_be_played() -> None:
    assert set(MODELS) == set(ARCHITECTURES)
    assert all(word == spec.architecture for word, spec in ARCHITECTURES.items())


@each
def test_the_parameters_are_the_arrays_of_the_checkpoint(word: str) -> None:
    spec = spec_of(word)
    assert {name: tuple(p.shape) for name, p in noisy(spec).state_dict().items()} == spec.shapes()


@each
def test_training_form_and_step_are_one_function(word: str) -> None:
    checkpoint = of_spec(spec_of(word))
    model, engine = noisy(checkpoint.spec), open_numpy_engine(checkpoint)
    with torch.no_grad():
        expected, _ = model(torch.tensor([ROWS]), model.zero_state(1))
    state, found = engine.zero_state(), []
    for row in ROWS:
        logits, state = engine.step([row], state)
        found.append(logits.copy())
    np.testing.assert_allclose(np.stack(found), expected[0].numpy(), atol=2e-4, rtol=1e-3)


@each
def test_training_form_whole_is_split(word: str) -> None:
    model = noisy(spec_of(word))
    rows = torch.tensor([ROWS, ROWS[::-1]])
    with torch.no_grad():
        whole, _ = model(rows, model.zero_state(2))
        state, parts = model.zero_state(2), []
        for part in rows.split([1, 61, 80, 8], dim=1):
            logits, state = model(part, state)
            parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-4, rtol=1e-4)


@each
def test_a_fresh_lane_remembers_nothing_and_the_others_all(word: str) -> None:
    model = noisy(spec_of(word))
    with torch.no_grad():
        _, state = model(torch.tensor([ROWS[:50], ROWS[50:100]]), model.zero_state(2))
        mixed = with_fresh(detached(state), model.zero_state(2), torch.tensor([True, False]))
        after = torch.tensor([ROWS[100:], ROWS[100:]])
        found, _ = model(after, mixed)
        fresh, _ = model(after, model.zero_state(2))
        kept, _ = model(after, state)
    torch.testing.assert_close(found[0], fresh[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found[1], kept[1], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(fresh[1], kept[1], atol=1e-3)


@each
@pytest.mark.parametrize("weight_format", WEIGHT_FORMATS)
def test_a_checkpoint_comes_back_as_what_it_was(word: str, weight_format: WeightFormat, tmp_path) -> None:
    written = of_spec(spec_of(word))
    checkpoints.write(tmp_path / "a.safetensors", written, weight_format)
    back = checkpoints.read(tmp_path / "a.safetensors")
    assert (back.spec, back.tokens, back.part, back.card) == (written.spec, written.tokens, written.part, written.card)
    tolerance = {"fp32": 0.0, "bf16": 1 / 256, "int8": 1 / 64}[weight_format]
    for name, array in written.weights.items():
        assert np.abs(back.weights[name] - array).max() <= tolerance * np.abs(array).max(), name
    engine = open_engine(back)
    logits, state = engine.step(ROWS, engine.zero_state())
    assert np.isfinite(logits).all()
    stepped, (_,) = engine.step_batch([ROWS[0]], [state])
    np.testing.assert_allclose(stepped[0], engine.step([ROWS[0]], state)[0], atol=1e-5)


@each
def test_a_state_that_was_kept_is_a_save(word: str) -> None:
    engine = open_engine(of_spec(spec_of(word)))
    _, kept = engine.step(ROWS[:40], engine.zero_state())
    first, _ = engine.step(ROWS[40:80], kept)
    engine.step(ROWS[80:120], kept)
    copied = State(kept.memory.copy())
    for state in (kept, copied):
        np.testing.assert_array_equal(engine.step(ROWS[40:80], state)[0], first)


@each
def test_what_no_model_can_do_is_refused(word: str) -> None:
    engine = open_engine(of_spec(spec_of(word)))
    with pytest.raises(ModelError, match="at least one token"):
        engine.step([], engine.zero_state())
    with pytest.raises(ModelError, match="row 437 is not one of the model's 437"):
        engine.step([437], engine.zero_state())
    with pytest.raises(ModelError, match="a state of this model has"):
        engine.step([1], State(np.zeros((1, 2, 3), np.float32)))
