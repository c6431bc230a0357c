from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.errors import ModelError
from radio.model.engines.base import State
from radio.model.engines.numpy_rwkv6 import NumpyRwkv6Engine
from radio.model.spec.rwkv import Rwkv6Spec
from tests.model.models import checkpoint, random_network


def reference(rows: list[int], *, layers: int, width: int) -> np.ndarray:
    """Return the logits (T, V) of the training network for the same weights."""
    spec = Rwkv6Spec(layers, width, checkpoint(layers=layers, width=width).spec.vocabulary)
    model = random_network(spec)
    with torch.inference_mode():
        logits, _ = model(torch.tensor([rows]), model.zero_state(1))
    return logits[0].numpy()


@pytest.mark.parametrize(("layers", "width", "length"), [(2, 64, 1000), (3, 192, 333)])
def test_stepping_agrees_with_training_over_long_sequences(layers: int, width: int, length: int) -> None:
    loaded = checkpoint(layers=layers, width=width)
    engine = NumpyRwkv6Engine(loaded)
    rows = np.random.default_rng(1).integers(loaded.spec.vocabulary, size=length).tolist()
    expected = reference(rows, layers=layers, width=width)
    state = engine.zero_state()
    for index, row in enumerate(rows):
        logits, state = engine.step([row], state)
        np.testing.assert_allclose(logits, expected[index], atol=1e-4, rtol=1e-4)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 900), min_size=1, max_size=12), st.integers(1, 11))
def test_several_rows_in_one_step_equal_several_steps(rows: list[int], cut: int) -> None:
    engine = NumpyRwkv6Engine(checkpoint())
    whole, whole_state = engine.step(rows, engine.zero_state())
    state = engine.zero_state()
    if rows[:cut] and rows[cut:]:
        _, state = engine.step(rows[:cut], state)
        split, state = engine.step(rows[cut:], state)
    else:
        split, state = engine.step(rows, state)
    np.testing.assert_array_equal(whole, split)
    np.testing.assert_array_equal(whole_state.memory, state.memory)


def test_a_step_does_not_change_its_input_state() -> None:
    """This makes continuing from a saved state bit-identical."""
    engine = NumpyRwkv6Engine(checkpoint())
    _, saved = engine.step([1, 2, 3], engine.zero_state())
    copy = State(saved.memory.copy())
    first, _ = engine.step([4, 5], saved)
    np.testing.assert_array_equal(saved.memory, copy.memory)
    again, _ = engine.step([4, 5], copy)
    np.testing.assert_array_equal(first, again)


def test_earlier_tokens_change_the_logits() -> None:
    engine = NumpyRwkv6Engine(checkpoint())
    one, _ = engine.step([1, 9], engine.zero_state())
    other, _ = engine.step([2, 9], engine.zero_state())
    assert not np.allclose(one, other)


def test_a_step_without_tokens_is_rejected() -> None:
    engine = NumpyRwkv6Engine(checkpoint())
    with pytest.raises(ModelError, match="at least one token"):
        engine.step([], engine.zero_state())


def test_a_batch_equals_separate_streams() -> None:
    engine = NumpyRwkv6Engine(checkpoint())
    _, first = engine.step([1, 2, 3], engine.zero_state())
    logits, states = engine.step_batch([4, 5], [first, engine.zero_state()])
    for index, (row, state) in enumerate(((4, first), (5, engine.zero_state()))):
        alone, after = engine.step([row], state)
        np.testing.assert_array_equal(logits[index], alone)
        np.testing.assert_array_equal(states[index].memory, after.memory)


def test_rows_and_states_of_another_model_are_rejected() -> None:
    engine = NumpyRwkv6Engine(checkpoint())
    with pytest.raises(ModelError, match="is out of range; the model has rows"):
        engine.step([-1], engine.zero_state())
    with pytest.raises(ModelError, match="a state of this model has shape"):
        engine.step([1], NumpyRwkv6Engine(checkpoint(layers=3)).zero_state())
    with pytest.raises(ModelError, match="a state for each token"):
        engine.step_batch([1], [])
