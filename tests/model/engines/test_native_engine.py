"""Every path × every form of weights against the numpy reference, on what this processor has."""

from __future__ import annotations

import copy
import gc
import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.errors import ModelError
from radio.model.engines import native_engine
from radio.model.engines.base import Engine, State
from radio.model.engines.native_engine import NativeEngine, NativeSpec
from radio.model.engines.selection import open_engine
from radio.model.spec.rwkv import Rwkv6Spec, Rwkv7Spec, Spec
from radio.model.weights.checkpoint import Checkpoint
from radio.model.weights.packing import WEIGHT_FORMATS, WeightFormat, packed_shapes
from tests.model.int8 import rounding_engine
from tests.model.models import checkpoint, of_spec

PATHS = native_engine.paths()
ODD = Rwkv6Spec(2, 128, 437, mix_rank=20, decay_rank=40)
ODD_7 = Rwkv7Spec(2, 128, 437, decay_rank=20, rate_rank=33, value_rank=3, gate_rank=50)
"""Sizes that fill no panel, no group and no pair: what is padded must not be heard."""
SMALLEST = Rwkv6Spec(1, 64, 17, mix_rank=1, decay_rank=1)
SMALLEST_7 = Rwkv7Spec(1, 64, 17, decay_rank=1, rate_rank=1, value_rank=1, gate_rank=1)
SPECS = (Rwkv6Spec(3, 192, 837), ODD, SMALLEST, Rwkv7Spec(3, 192, 837), ODD_7, SMALLEST_7)
either = pytest.mark.parametrize("odd", [ODD, ODD_7], ids=["rwkv6", "rwkv7"])


def plain(checkpoint: Checkpoint) -> Engine:
    return open_engine(checkpoint, "numpy")


def rows_for(spec: Spec, length: int, seed: int = 1) -> list[int]:
    drawn: list[int] = np.random.default_rng(seed).integers(spec.vocabulary, size=length).tolist()
    return drawn


def logits_of(engine: Engine, rows: Sequence[int]) -> tuple[np.ndarray, State]:
    state, found = engine.zero_state(), []
    for row in rows:
        logits, state = engine.step([row], state)
        found.append(logits)
    return np.array(found), state


def test_the_extension_was_compiled() -> None:
    """The tests' machine has a compiler; without one every test below would be empty."""
    assert "portable" in PATHS, native_engine.missing_reason()


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("weight_format", ["fp32", "bf16"])
@pytest.mark.parametrize("path", PATHS)
def test_floats_are_the_reference(path: str, weight_format: WeightFormat, spec: Spec) -> None:
    made = of_spec(spec)
    rows = rows_for(spec, 200)
    expected, after = logits_of(plain(replace(made, weights=made.packed(weight_format))), rows)
    found, state = logits_of(NativeEngine(made, path=path, weight_format=weight_format), rows)
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(state.memory, after.memory, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("path", PATHS)
def test_int8_is_its_definition_at_every_step(path: str, spec: Spec) -> None:
    """From the same state, so that an input that one rounds up and the other down does not grow from step to step."""
    made = of_spec(spec)
    reference, engine = rounding_engine(made), NativeEngine(made, path=path, weight_format="int8")
    state = reference.zero_state()
    errors = []
    for row in rows_for(spec, 100):
        expected, after = reference.step([row], state)
        found, _ = engine.step([row], state)
        errors.append(np.abs(found - expected).max() / expected.std())
        state = after
    assert np.median(errors) < 1e-3
    assert max(errors) < 0.05


@pytest.mark.parametrize("path", PATHS)
def test_int8_stays_near_the_float_weights(path: str) -> None:
    made = of_spec(SPECS[0])
    rows = rows_for(made.spec, 100)
    expected, _ = logits_of(plain(made), rows)
    found, _ = logits_of(NativeEngine(made, path=path, weight_format="int8"), rows)
    assert np.sqrt(np.square(found - expected).mean()) < 0.05 * expected.std()


@either
@pytest.mark.parametrize("weight_format", WEIGHT_FORMATS)
@pytest.mark.parametrize("path", PATHS)
def test_a_batch_is_bit_for_bit_what_its_streams_are_alone(path: str, weight_format: WeightFormat, odd: Spec) -> None:
    made = of_spec(odd)
    engine = NativeEngine(made, path=path, weight_format=weight_format)
    for streams in (1, 2, 3, 7, 8, 9, 20):
        rows = [rows_for(odd, 4, seed) for seed in range(streams)]
        states: Sequence[State] = [engine.zero_state()] * streams
        logits = np.zeros(0, np.float32)
        for column in zip(*rows, strict=True):
            logits, states = engine.step_batch(column, states)
        for stream in range(streams):
            alone, state = logits_of(engine, rows[stream])
            np.testing.assert_array_equal(logits[stream], alone[-1])
            np.testing.assert_array_equal(states[stream].memory, state.memory)


@either
def test_a_step_leaves_nothing_behind_for_the_next(odd: Spec) -> None:
    """What stands beyond a vector's end would change the scale by which its last group is rounded."""
    engine = NativeEngine(of_spec(odd), weight_format="int8")
    found = [logits_of(engine, rows_for(odd, 5))[0] for _ in range(2)]
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("weight_format", WEIGHT_FORMATS)
def test_streams_join_and_leave_a_batch(weight_format: WeightFormat) -> None:
    engine = NativeEngine(of_spec(ODD), weight_format=weight_format)
    _, kept = logits_of(engine, [3, 1, 4])
    _, (one, two) = engine.step_batch([1, 5], [kept, engine.zero_state()])
    together, _ = engine.step_batch([9, 2, 6], [two, one, kept])
    np.testing.assert_array_equal(together[1], engine.step([1, 2], kept)[0])
    np.testing.assert_array_equal(together[2], engine.step([6], kept)[0])


@either
@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.integers(0, 436), min_size=2, max_size=12), data=st.data())
def test_many_rows_in_a_step_are_the_same_as_one_by_one(rows: list[int], data: st.DataObject, odd: Spec) -> None:
    engine = NativeEngine(of_spec(odd), weight_format="int8")
    whole, whole_state = engine.step(rows, engine.zero_state())
    cut = data.draw(st.integers(1, len(rows) - 1))
    _, state = engine.step(rows[:cut], engine.zero_state())
    split, state = engine.step(rows[cut:], state)
    np.testing.assert_array_equal(whole, split)
    np.testing.assert_array_equal(whole_state.memory, state.memory)


@pytest.mark.parametrize("weight_format", WEIGHT_FORMATS)
def test_a_state_that_was_kept_is_a_save(weight_format: WeightFormat) -> None:
    """Whatever is stepped meanwhile, and whichever way it was kept: as it is, copied, or as bytes."""
    engine = NativeEngine(of_spec(ODD), weight_format=weight_format)
    _, kept = logits_of(engine, [1, 2, 3])
    copied, stored = copy.deepcopy(kept), kept.memory.tobytes()
    first, after = engine.step([4, 5], kept)
    for _ in range(300):
        _, after = engine.step([7], after)
    gc.collect()
    back = State(np.frombuffer(stored, np.float32).reshape(kept.memory.shape))
    for save in (kept, copied, back):
        np.testing.assert_array_equal(engine.step([4, 5], save)[0], first)
    with pytest.raises(ValueError, match="read-only"):
        kept.memory[0, 0] = 1


def test_what_a_step_returned_outlives_the_engine() -> None:
    engine = NativeEngine(of_spec(ODD), weight_format="int8")
    logits, state = engine.step([1], engine.zero_state())
    expected = logits.copy(), state.memory.copy()
    other = NativeEngine(of_spec(ODD), weight_format="int8")
    del engine
    gc.collect()
    kept = other.zero_state()
    for _ in range(100):
        _, kept = other.step([2], kept)
    np.testing.assert_array_equal(logits, expected[0])
    np.testing.assert_array_equal(state.memory, expected[1])


def test_one_engine_serves_several_threads() -> None:
    engine = NativeEngine(of_spec(ODD), weight_format="int8")
    rows = rows_for(ODD, 200)
    expected, _ = logits_of(engine, rows)
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(logits_of(engine, rows)[0])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for each in found:
        np.testing.assert_array_equal(each, expected)


@pytest.mark.parametrize("spec", [SMALLEST, SMALLEST_7], ids=str)
@pytest.mark.parametrize("path", PATHS)
def test_extremes_give_numbers(path: str, spec: Spec) -> None:
    """Weights so large that sums overflow, and so small that they are denormal: no trap, no garbage from elsewhere."""
    for factor in (1e18, 1e-39):
        made = of_spec(spec)
        scaled = {name: (array * np.float32(factor)).astype(np.float32) for name, array in made.weights.items()}
        for weight_format in WEIGHT_FORMATS:
            engine = NativeEngine(replace(made, weights=scaled), path=path, weight_format=weight_format)
            logits, _ = logits_of(engine, [1, 2, 3])
            assert logits.shape == (3, 17)


def test_what_does_not_belong_to_the_model_is_refused() -> None:
    engine = NativeEngine(checkpoint(), weight_format="int8")
    other = NativeEngine(checkpoint(layers=3), weight_format="int8")
    state = engine.zero_state()
    with pytest.raises(ModelError, match="at least one token"):
        engine.step([], state)
    for row in (-1, checkpoint().spec.vocabulary, 2**31):
        with pytest.raises(ModelError, match="is not one of the model's"):
            engine.step([row], state)
    with pytest.raises(ModelError, match="a state of this model has"):
        engine.step([1], other.zero_state())
    with pytest.raises(ModelError, match="a state for each token"):
        engine.step_batch([1, 2], [state])
    with pytest.raises(ModelError, match="a state for each token"):
        engine.step_batch([], [])
    with pytest.raises(ModelError, match="a state of this model has"):
        engine.step_batch([1, 2], [state, other.zero_state()])
    with pytest.raises(ModelError, match=r"no path 'avx51'.*Did you mean|no path 'avx51'"):
        NativeEngine(checkpoint(), path="avx51")


@pytest.mark.parametrize("spec", [Rwkv6Spec(2, 64, 437), Rwkv7Spec(2, 64, 437)], ids=str)
def test_arrays_that_do_not_fit_the_sizes_are_refused_before_they_are_read(spec: NativeSpec) -> None:
    from radio.model import _native

    word, sizes = spec.architecture, native_engine.sizes(spec)
    packed = of_spec(spec).packed("int8")
    tensors = [packed.tensors[name] for name in packed_shapes(spec, "int8")]
    _native.Model(word, sizes, "int8", tensors, "portable")
    for wrong in (tensors[:-1], [*tensors, tensors[-1]], [tensors[0][:-1], *tensors[1:]], []):
        with pytest.raises(ValueError, match="tensor"):
            _native.Model(word, sizes, "int8", wrong, "portable")
    for place in range(len(sizes)):
        for size in (0, -1, 2**31 - 1, 2**40, sizes[place] + 64):
            changed = (*sizes[:place], size, *sizes[place + 1 :])
            with pytest.raises(ValueError, match=r"tensor|size|width|large"):
                _native.Model(word, changed, "int8", tensors, "portable")
    for count in (sizes[:-1], (*sizes, 1)):
        with pytest.raises(ValueError, match=f"there are {len(count)} sizes, not {len(sizes)}"):
            _native.Model(word, count, "int8", tensors, "portable")
    with pytest.raises(ValueError, match="no form"):
        _native.Model(word, sizes, "int4", tensors, "portable")
    with pytest.raises(ValueError, match="no architecture is called 'gru'"):
        _native.Model("gru", sizes, "int8", tensors, "portable")
