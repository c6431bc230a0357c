"""The torch engine, on the CPU and on a GPU if there is one, against the numpy reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from radio.errors import ModelError
from radio.model.engines import selection as engines
from radio.model.engines.base import State
from radio.model.engines.numpy_rwkv6 import NumpyRwkv6Engine
from radio.model.engines.torch_engine import DeviceStates, TorchEngine
from radio.model.sampling import Sampler, Sampling
from tests.model.models import checkpoint

CUDA = pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("device", ["cpu", CUDA])
def test_every_stream_of_a_batch_agrees_with_the_reference(device: str) -> None:
    model = checkpoint(layers=3, width=128)
    engine, reference = TorchEngine(model, device=device), NumpyRwkv6Engine(model)
    rows = np.random.default_rng(2).integers(model.spec.vocabulary, size=(50, 5))
    states: Sequence[State] = [engine.zero_state()] * 5
    reference_states: Sequence[State] = [reference.zero_state()] * 5
    for row in rows.tolist():
        logits, states = engine.step_batch(row, states)
        expected, reference_states = reference.step_batch(row, reference_states)
        np.testing.assert_allclose(logits, expected, atol=1e-3, rtol=1e-3)
    for state, reference_state in zip(states, reference_states, strict=True):
        np.testing.assert_allclose(state.memory, reference_state.memory, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("device", ["cpu", CUDA])
def test_the_same_seed_gives_the_same_tokens_as_the_reference(device: str) -> None:
    model = checkpoint()
    drawn = []
    for engine in (TorchEngine(model, device=device), NumpyRwkv6Engine(model)):
        samplers = [Sampler(model.tokens, np.random.default_rng(seed)) for seed in range(8)]
        states: Sequence[State] = [engine.zero_state()] * 8
        rows, sequence = [0] * 8, []
        for _ in range(60):
            logits, states = engine.step_batch(rows, states)
            allowed = np.ones(len(model.tokens), bool)
            rows = [
                sampler.draw(row_logits, allowed, Sampling(top_p=0.9))
                for sampler, row_logits in zip(samplers, logits, strict=True)
            ]
            sequence.append(rows)
        drawn.append(sequence)
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("device", ["cpu", CUDA])
def test_states_can_be_saved_fetched_and_passed_back(device: str) -> None:
    engine = TorchEngine(checkpoint(), device=device)
    _, saved = engine.step_batch([1, 2, 3], [engine.zero_state()] * 3)
    first, after = engine.step_batch([4, 5, 6], saved)
    engine.step_batch([7, 8, 9], after)
    again, _ = engine.step_batch([4, 5, 6], saved)
    np.testing.assert_array_equal(first, again)
    fetched, _ = engine.step_batch([4, 5, 6], list(saved))
    np.testing.assert_array_equal(first, fetched)
    assert isinstance(saved[1:], DeviceStates)
    fewer, _ = engine.step_batch([5, 6], saved[1:])
    np.testing.assert_allclose(fewer, first[1:], atol=1e-4, rtol=1e-4)
    other, _ = NumpyRwkv6Engine(checkpoint()).step([5], saved[1])
    np.testing.assert_allclose(other, first[1], atol=1e-3, rtol=1e-3)


def test_several_rows_in_one_step_equal_several_steps() -> None:
    engine = engines.open_engine(checkpoint(), "torch")
    whole, state = engine.step([1, 2, 3], engine.zero_state())
    _, split = engine.step([1, 2], engine.zero_state())
    logits, split = engine.step([3], split)
    np.testing.assert_array_equal(whole, logits)
    np.testing.assert_array_equal(state.memory, split.memory)


def test_packed_weights_are_read() -> None:
    packed = replace(checkpoint(), weights=checkpoint().packed("int8"))
    engine, reference = TorchEngine(packed, device="cpu"), NumpyRwkv6Engine(packed)
    logits, _ = engine.step([5], engine.zero_state())
    np.testing.assert_allclose(logits, reference.step([5], reference.zero_state())[0], atol=1e-4, rtol=1e-4)


def test_invalid_steps_and_devices_are_rejected() -> None:
    engine = TorchEngine(checkpoint(), device="cpu")
    with pytest.raises(ModelError, match="at least one token"):
        engine.step([], engine.zero_state())
    with pytest.raises(ModelError, match="a state for each token"):
        engine.step_batch([1], [engine.zero_state()] * 2)
    with pytest.raises(ModelError, match="is out of range; the model has rows"):
        engine.step_batch([-1], [engine.zero_state()])
    with pytest.raises(ModelError, match="a state of this model has shape"):
        engine.step_batch([1], [NumpyRwkv6Engine(checkpoint(layers=3)).zero_state()])
    with pytest.raises(ModelError, match="torch cannot use the device 'abacus'"):
        TorchEngine(checkpoint(), device="abacus")
