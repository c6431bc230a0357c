"""All code paths of this processor and all weight formats against the numpy reference."""

from __future__ import annotations

import copy
import gc
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.errors import ModelError
from radio.model.engines import native_engine
from radio.model.engines.base import Engine, State
from radio.model.engines.native_engine import NativeEngine, NativeSpec
from radio.model.engines.selection import open_engine
from radio.model.spec.baselines import GruSpec
from radio.model.spec.experts import ExpertsSpec
from radio.model.spec.rwkv import Rwkv6Spec, Rwkv7Spec, Spec
from radio.model.weights.checkpoint import Checkpoint
from radio.model.weights.packing import WEIGHT_FORMATS, WeightFormat, packed_shapes
from tests.model.int8 import rounding_engine
from tests.model.models import checkpoint, random_checkpoint

PATHS = native_engine.paths()
ODD = Rwkv6Spec(2, 128, 437, mix_rank=20, decay_rank=40)
ODD_7 = Rwkv7Spec(2, 128, 437, decay_rank=20, rate_rank=33, value_rank=3, gate_rank=50)
ODD_EXPERTS = ExpertsSpec(2, 128, 437, mix_rank=20, decay_rank=40, experts=5, active=2)
"""Sizes that are not multiples of panel, group or pair, so that errors in the padding show."""
SMALLEST = Rwkv6Spec(1, 64, 17, mix_rank=1, decay_rank=1)
SMALLEST_7 = Rwkv7Spec(1, 64, 17, decay_rank=1, rate_rank=1, value_rank=1, gate_rank=1)
ONE_EXPERT = ExpertsSpec(1, 64, 17, mix_rank=1, decay_rank=1, experts=1)
SPECS = (Rwkv6Spec(3, 192, 837), ODD, SMALLEST, Rwkv7Spec(3, 192, 837), ODD_7, SMALLEST_7, ODD_EXPERTS, ONE_EXPERT)
all_architectures = pytest.mark.parametrize("odd", [ODD, ODD_7, ODD_EXPERTS], ids=["rwkv6", "rwkv7", "experts"])


def numpy_engine(checkpoint: Checkpoint) -> Engine:
    return open_engine(checkpoint, "numpy")


@cache
def reference(spec: Spec, weight_format: WeightFormat) -> tuple[np.ndarray, State]:
    """Return the logits of each of 100 steps in numpy, and the last state."""
    model = random_checkpoint(spec)
    return step_each(numpy_engine(replace(model, weights=model.packed(weight_format))), random_rows(spec, 100))


@cache
def int8_reference(spec: Spec) -> list[tuple[np.ndarray, State]]:
    """Return the logits of each of 100 steps, and the state after it."""
    engine = rounding_engine(random_checkpoint(spec))
    state, steps = engine.zero_state(), []
    for row in random_rows(spec, 100):
        logits, state = engine.step([row], state)
        steps.append((logits, state))
    return steps


def random_rows(spec: Spec, length: int, seed: int = 1) -> list[int]:
    rows: list[int] = np.random.default_rng(seed).integers(spec.vocabulary, size=length).tolist()
    return rows


def step_each(engine: Engine, rows: Sequence[int]) -> tuple[np.ndarray, State]:
    """Step the rows one by one. Return the logits of each step and the last state."""
    state, all_logits = engine.zero_state(), []
    for row in rows:
        logits, state = engine.step([row], state)
        all_logits.append(logits)
    return np.array(all_logits), state


def test_the_extension_was_compiled() -> None:
    """Without the extension the tests below would be empty."""
    assert "portable" in PATHS, native_engine.missing_reason()


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("weight_format", ["fp32", "bf16"])
@pytest.mark.parametrize("path", PATHS)
def test_float_formats_agree_with_the_reference(path: str, weight_format: WeightFormat, spec: Spec) -> None:
    expected, after = reference(spec, weight_format)
    engine = NativeEngine(random_checkpoint(spec), path=path, weight_format=weight_format)
    logits, state = step_each(engine, random_rows(spec, 100))
    np.testing.assert_allclose(logits, expected, atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(state.memory, after.memory, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("path", PATHS)
def test_int8_agrees_with_its_reference_at_every_step(path: str, spec: Spec) -> None:
    """Each step starts from the state of the reference, so that rounding differences do not accumulate."""
    engine = NativeEngine(random_checkpoint(spec), path=path, weight_format="int8")
    state = engine.zero_state()
    errors = []
    for row, (expected, after) in zip(random_rows(spec, 100), int8_reference(spec), strict=True):
        logits, _ = engine.step([row], state)
        errors.append(np.abs(logits - expected).max() / expected.std())
        state = after
    assert np.median(errors) < 1e-3
    assert max(errors) < 0.05


@pytest.mark.parametrize("path", PATHS)
def test_int8_is_close_to_float_weights(path: str) -> None:
    model = random_checkpoint(SPECS[0])
    rows = random_rows(model.spec, 100)
    expected, _ = step_each(numpy_engine(model), rows)
    logits, _ = step_each(NativeEngine(model, path=path, weight_format="int8"), rows)
    assert np.sqrt(np.square(logits - expected).mean()) < 0.05 * expected.std()


@all_architectures
@pytest.mark.parametrize("weight_format", WEIGHT_FORMATS)
@pytest.mark.parametrize("path", PATHS)
def test_a_batch_is_bit_identical_to_separate_streams(path: str, weight_format: WeightFormat, odd: Spec) -> None:
    model = random_checkpoint(odd)
    engine = NativeEngine(model, path=path, weight_format=weight_format)
    for streams in (1, 2, 3, 7, 8, 9, 20):
        rows = [random_rows(odd, 4, seed) for seed in range(streams)]
        states: Sequence[State] = [engine.zero_state()] * streams
        logits = np.zeros(0, np.float32)
        for column in zip(*rows, strict=True):
            logits, states = engine.step_batch(column, states)
        for stream in range(streams):
            alone, state = step_each(engine, rows[stream])
            np.testing.assert_array_equal(logits[stream], alone[-1])
            np.testing.assert_array_equal(states[stream].memory, state.memory)


@all_architectures
def test_a_step_does_not_depend_on_earlier_scratch_contents(odd: Spec) -> None:
    """Leftovers in the padding of a vector would change the scale of its last group."""
    engine = NativeEngine(random_checkpoint(odd), weight_format="int8")
    runs = [step_each(engine, random_rows(odd, 5))[0] for _ in range(2)]
    np.testing.assert_array_equal(*runs)


@pytest.mark.parametrize("weight_format", WEIGHT_FORMATS)
def test_streams_can_join_and_leave_a_batch(weight_format: WeightFormat) -> None:
    engine = NativeEngine(random_checkpoint(ODD), weight_format=weight_format)
    _, saved = step_each(engine, [3, 1, 4])
    _, (first, second) = engine.step_batch([1, 5], [saved, engine.zero_state()])
    logits, _ = engine.step_batch([9, 2, 6], [second, first, saved])
    np.testing.assert_array_equal(logits[1], engine.step([1, 2], saved)[0])
    np.testing.assert_array_equal(logits[2], engine.step([6], saved)[0])


@all_architectures
@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.integers(0, 436), min_size=2, max_size=12), data=st.data())
def test_several_rows_in_one_step_equal_several_steps(rows: list[int], data: st.DataObject, odd: Spec) -> None:
    engine = NativeEngine(random_checkpoint(odd), weight_format="int8")
    whole, whole_state = engine.step(rows, engine.zero_state())
    cut = data.draw(st.integers(1, len(rows) - 1))
    _, state = engine.step(rows[:cut], engine.zero_state())
    split, state = engine.step(rows[cut:], state)
    np.testing.assert_array_equal(whole, split)
    np.testing.assert_array_equal(whole_state.memory, state.memory)


@pytest.mark.parametrize("weight_format", WEIGHT_FORMATS)
def test_continuing_from_a_saved_state_is_bit_identical(weight_format: WeightFormat) -> None:
    """Steps in between have no effect. The state may be kept, copied, or saved as bytes."""
    engine = NativeEngine(random_checkpoint(ODD), weight_format=weight_format)
    _, state = step_each(engine, [1, 2, 3])
    copied, stored = copy.deepcopy(state), state.memory.tobytes()
    first, after = engine.step([4, 5], state)
    for _ in range(300):
        _, after = engine.step([7], after)
    gc.collect()
    restored = State(np.frombuffer(stored, np.float32).reshape(state.memory.shape))
    for saved in (state, copied, restored):
        np.testing.assert_array_equal(engine.step([4, 5], saved)[0], first)
    with pytest.raises(ValueError, match="read-only"):
        state.memory[0, 0] = 1


def test_the_results_of_a_step_outlive_the_engine() -> None:
    engine = NativeEngine(random_checkpoint(ODD), weight_format="int8")
    logits, state = engine.step([1], engine.zero_state())
    expected = logits.copy(), state.memory.copy()
    other = NativeEngine(random_checkpoint(ODD), weight_format="int8")
    del engine
    gc.collect()
    other_state = other.zero_state()
    for _ in range(100):
        _, other_state = other.step([2], other_state)
    np.testing.assert_array_equal(logits, expected[0])
    np.testing.assert_array_equal(state.memory, expected[1])


def test_threads_can_share_an_engine() -> None:
    engine = NativeEngine(random_checkpoint(ODD), weight_format="int8")
    rows = random_rows(ODD, 200)
    expected, _ = step_each(engine, rows)
    results: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: results.append(step_each(engine, rows)[0])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for logits in results:
        np.testing.assert_array_equal(logits, expected)


@pytest.mark.parametrize("spec", [SMALLEST, SMALLEST_7], ids=str)
@pytest.mark.parametrize("path", PATHS)
def test_extreme_weights_do_not_crash(path: str, spec: Spec) -> None:
    """The weights are so large that sums overflow, or so small that they are denormal."""
    for factor in (1e18, 1e-39):
        model = random_checkpoint(spec)
        scaled = {name: (array * np.float32(factor)).astype(np.float32) for name, array in model.weights.items()}
        for weight_format in WEIGHT_FORMATS:
            engine = NativeEngine(replace(model, weights=scaled), path=path, weight_format=weight_format)
            logits, _ = step_each(engine, [1, 2, 3])
            assert logits.shape == (3, 17)


def test_invalid_steps_and_paths_are_rejected() -> None:
    engine = NativeEngine(checkpoint(), weight_format="int8")
    other = NativeEngine(checkpoint(layers=3), weight_format="int8")
    state = engine.zero_state()
    with pytest.raises(ModelError, match="at least one token"):
        engine.step([], state)
    for row in (-1, checkpoint().spec.vocabulary, 2**31):
        with pytest.raises(ModelError, match="is out of range; the model has rows"):
            engine.step([row], state)
    with pytest.raises(ModelError, match="a state of this model has"):
        engine.step([1], other.zero_state())
    with pytest.raises(ModelError, match="a state for each token"):
        engine.step_batch([1, 2], [state])
    with pytest.raises(ModelError, match="a state for each token"):
        engine.step_batch([], [])
    with pytest.raises(ModelError, match="a state of this model has"):
        engine.step_batch([1, 2], [state, other.zero_state()])
    with pytest.raises(ModelError, match="does not support the path 'avx51'"):
        NativeEngine(checkpoint(), path="avx51")
    with pytest.raises(ModelError, match="the engine 'native' does not support GRU; use 'auto'"):
        NativeEngine(random_checkpoint(GruSpec(1, 64, 50)))


@pytest.mark.parametrize(
    "spec", [Rwkv6Spec(2, 64, 437), Rwkv7Spec(2, 64, 437), ExpertsSpec(2, 64, 437, experts=3, active=2)], ids=str
)
def test_arrays_of_wrong_sizes_are_rejected_before_they_are_read(spec: NativeSpec) -> None:
    from radio.model import _native

    architecture, sizes = spec.architecture, native_engine.sizes(spec)
    packed = random_checkpoint(spec).packed("int8")
    tensors = [packed.tensors[name] for name in packed_shapes(spec, "int8")]
    _native.Model(architecture, sizes, "int8", tensors, "portable")
    for wrong in (tensors[:-1], [*tensors, tensors[-1]], [tensors[0][:-1], *tensors[1:]], []):
        with pytest.raises(ValueError, match="tensor"):
            _native.Model(architecture, sizes, "int8", wrong, "portable")
    for index in range(len(sizes)):
        for size in (0, -1, 2**31 - 1, 2**40, sizes[index] + 64):
            changed = (*sizes[:index], size, *sizes[index + 1 :])
            with pytest.raises(ValueError, match=r"tensor|size|width|large|experts"):
                _native.Model(architecture, changed, "int8", tensors, "portable")
    for count in (sizes[:-1], (*sizes, 1)):
        with pytest.raises(ValueError, match=f"{len(count)} sizes, expected {len(sizes)}"):
            _native.Model(architecture, count, "int8", tensors, "portable")
    with pytest.raises(ValueError, match="unknown weight format 'int4'"):
        _native.Model(architecture, sizes, "int4", tensors, "portable")
    with pytest.raises(ValueError, match="unknown architecture 'gru'"):
        _native.Model("gru", sizes, "int8", tensors, "portable")
