"""The torch engine on the processor, and on a GPU where there is one, against the numpy reference."""

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

CUDA = pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here"))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("device", ["cpu", CUDA])
def test_a_batch_is_the_reference_stream_by_stream(device: str) -> None:
    made = checkpoint(layers=3, width=128)
    engine, reference = TorchEngine(made, device=device), NumpyRwkv6Engine(made)
    rows = np.random.default_rng(2).integers(made.spec.vocabulary, size=(50, 5))
    states: Sequence[State] = [engine.zero_state()] * 5
    expected: Sequence[State] = [reference.zero_state()] * 5
    for now in rows.tolist():
        logits, states = engine.step_batch(now, states)
        wanted, expected = reference.step_batch(now, expected)
        np.testing.assert_allclose(logits, wanted, atol=1e-3, rtol=1e-3)
    for mine, theirs in zip(states, expected, strict=True):
        np.testing.assert_allclose(mine.memory, theirs.memory, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("device", ["cpu", CUDA])
def test_the_same_seed_gives_the_same_tokens_as_the_reference(device: str) -> None:
    made = checkpoint()
    drawn = []
    for engine in (TorchEngine(made, device=device), NumpyRwkv6Engine(made)):
        samplers = [Sampler(made.tokens, np.random.default_rng(seed)) for seed in range(8)]
        states: Sequence[State] = [engine.zero_state()] * 8
        rows, found = [0] * 8, []
        for _ in range(60):
            logits, states = engine.step_batch(rows, states)
            allowed = np.ones(len(made.tokens), bool)
            rows = [each.draw(line, allowed, Sampling(top_p=0.9)) for each, line in zip(samplers, logits, strict=True)]
            found.append(rows)
        drawn.append(found)
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("device", ["cpu", CUDA])
def test_states_are_kept_taken_out_and_put_back(device: str) -> None:
    engine = TorchEngine(checkpoint(), device=device)
    _, kept = engine.step_batch([1, 2, 3], [engine.zero_state()] * 3)
    first, after = engine.step_batch([4, 5, 6], kept)
    engine.step_batch([7, 8, 9], after)
    again, _ = engine.step_batch([4, 5, 6], kept)
    np.testing.assert_array_equal(first, again)
    fetched, _ = engine.step_batch([4, 5, 6], list(kept))
    np.testing.assert_array_equal(first, fetched)
    assert isinstance(kept[1:], DeviceStates)
    fewer, _ = engine.step_batch([5, 6], kept[1:])
    np.testing.assert_allclose(fewer, first[1:], atol=1e-4, rtol=1e-4)
    other, _ = NumpyRwkv6Engine(checkpoint()).step([5], kept[1])
    np.testing.assert_allclose(other, first[1], atol=1e-3, rtol=1e-3)


def test_many_rows_in_a_step_are_the_same_as_one_by_one() -> None:
    engine = engines.open_engine(checkpoint(), "torch")
    whole, state = engine.step([1, 2, 3], engine.zero_state())
    _, split = engine.step([1, 2], engine.zero_state())
    logits, split = engine.step([3], split)
    np.testing.assert_array_equal(whole, logits)
    np.testing.assert_array_equal(state.memory, split.memory)


def test_weights_of_any_form_are_read() -> None:
    packed = replace(checkpoint(), weights=checkpoint().packed("int8"))
    ours, theirs = TorchEngine(packed, device="cpu"), NumpyRwkv6Engine(packed)
    logits, _ = ours.step([5], ours.zero_state())
    np.testing.assert_allclose(logits, theirs.step([5], theirs.zero_state())[0], atol=1e-4, rtol=1e-4)


def test_what_does_not_belong_to_the_model_is_refused() -> None:
    engine = TorchEngine(checkpoint(), device="cpu")
    with pytest.raises(ModelError, match="at least one token"):
        engine.step([], engine.zero_state())
    with pytest.raises(ModelError, match="a state for each token"):
        engine.step_batch([1], [engine.zero_state()] * 2)
    with pytest.raises(ModelError, match="is not one of the model's"):
        engine.step_batch([-1], [engine.zero_state()])
    with pytest.raises(ModelError, match="a state of this model has shape"):
        engine.step_batch([1], [NumpyRwkv6Engine(checkpoint(layers=3)).zero_state()])
    with pytest.raises(ModelError, match="torch cannot use the device 'abacus'"):
        TorchEngine(checkpoint(), device="abacus")
