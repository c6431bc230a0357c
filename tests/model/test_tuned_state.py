"""In every engine, a model starts from a tuned state just as it continues from any other state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from radio.errors import ModelError
from radio.model import tuned_state
from radio.model.engines.base import Array, RwkvMemory
from radio.model.engines.selection import open_engine
from radio.model.spec.baselines import GruSpec
from radio.model.spec.rwkv import Rwkv7Spec
from radio.model.tuned_state import TunedState
from radio.model.weights import checkpoint as checkpoints
from radio.model.weights import tensorfile
from radio.model.weights.checkpoint import Checkpoint
from tests.model.models import checkpoint, random_checkpoint

MODELS = [checkpoint("piano"), random_checkpoint(Rwkv7Spec(2, 64, 300))]


def random_wkv(model: Checkpoint) -> Array:
    shape = tuned_state.wkv_shape(tuned_state.require_tunable(model.spec))
    return np.random.default_rng(5).normal(0, 0.5, shape).astype(np.float32)


def written(path: Path, model: Checkpoint, wkv: Array | None = None) -> Path:
    values = random_wkv(model) if wkv is None else wkv
    tuned_state.write(path, TunedState(values, tuned_state.fingerprint(model), {"corpus": "none"}))
    return path


@pytest.mark.parametrize("model", MODELS, ids=["rwkv6", "rwkv7"])
def test_a_state_reads_back_with_empty_token_shifts(model: Checkpoint, tmp_path: Path) -> None:
    path = written(tmp_path / "state.safetensors", model)
    memory = RwkvMemory.of(tuned_state.read(path, model).memory)
    np.testing.assert_array_equal(memory.wkv, random_wkv(model))
    assert not memory.att_shift.any()
    assert not memory.ffn_shift.any()
    assert path.stat().st_size < random_wkv(model).nbytes + 1_000


@pytest.mark.parametrize("model", MODELS, ids=["rwkv6", "rwkv7"])
def test_the_native_engine_starts_from_a_state_like_the_reference(model: Checkpoint, tmp_path: Path) -> None:
    state = tuned_state.read(written(tmp_path / "state.safetensors", model), model)
    rows = [1, 5, 200, 17, 3]
    expected, after = open_engine(model, "numpy").step(rows, state)
    logits, native_after = open_engine(model, "native").step(rows, state)
    np.testing.assert_allclose(logits, expected, atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(native_after.memory, after.memory, atol=1e-4, rtol=1e-4)
    plain, _ = open_engine(model, "numpy").step(rows, open_engine(model, "numpy").zero_state())
    assert np.abs(logits - plain).max() > 0.01


def test_the_torch_engine_starts_from_a_state_like_the_reference(tmp_path: Path) -> None:
    model = checkpoint("piano")
    state = tuned_state.read(written(tmp_path / "state.safetensors", model), model)
    expected, _ = open_engine(model, "numpy").step([1, 5, 200], state)
    logits, _ = open_engine(model, "torch").step([1, 5, 200], state)
    np.testing.assert_allclose(logits, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("engine", ["native", "numpy", "torch"])
def test_a_state_of_zeros_changes_nothing(engine: str, tmp_path: Path) -> None:
    model = checkpoint("piano")
    state = tuned_state.read(written(tmp_path / "state.safetensors", model, 0 * random_wkv(model)), model)
    opened = open_engine(model, engine)
    (logits, after), (expected, expected_after) = (opened.step([1, 5, 9], s) for s in (state, opened.zero_state()))
    assert logits.tobytes() == expected.tobytes()
    assert after.memory.tobytes() == expected_after.memory.tobytes()


def test_a_state_fits_its_model_in_any_weight_format(tmp_path: Path) -> None:
    model = checkpoint("piano")
    path = written(tmp_path / "state.safetensors", model)
    checkpoints.write(tmp_path / "int8.safetensors", model, "int8")
    expected = tuned_state.read(path, model)
    converted = tuned_state.read(path, checkpoints.read(tmp_path / "int8.safetensors"))
    assert converted.memory.tobytes() == expected.memory.tobytes()


def test_a_state_of_another_model_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "state.safetensors", checkpoint("piano"))
    for other in (checkpoint("piano", seed=1), checkpoint("drums"), checkpoint("piano", layers=3)):
        with pytest.raises(ModelError, match=f"a state of another model; tune one for the {other.part.name} model"):
            tuned_state.read(path, other)
    gru = random_checkpoint(GruSpec(1, 64, 300))
    with pytest.raises(ModelError, match="only states of RWKV can be tuned, not of GRU"):
        tuned_state.read(path, gru)


def test_a_file_that_is_not_a_tuned_state_is_refused(tmp_path: Path) -> None:
    model = checkpoint("piano")
    path = tmp_path / "state.safetensors"
    checkpoints.write(path, model)
    with pytest.raises(ModelError, match=r"not a tuned state \(format 'radio-rwkv6-2'\)"):
        tuned_state.read(path, model)
    header = {"format": tuned_state.FORMAT, "model": tuned_state.fingerprint(model)}
    broken = random_wkv(model)
    broken[0, 0, 0, 0] = np.nan
    for arrays in ({"wkv": broken}, {"other": random_wkv(model)}, {"wkv": random_wkv(model).astype(np.float16)}):
        tensorfile.write(path, arrays, header)
        with pytest.raises(ModelError, match="has one array, wkv, of finite float32 numbers"):
            tuned_state.read(path, model)
    tensorfile.write(path, {"wkv": random_wkv(model)[:1]}, header)
    with pytest.raises(ModelError, match="a state of another model"):
        tuned_state.read(path, model)
    data = bytearray(written(path, model).read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="SHA-256 differs"):
        tuned_state.read(path, model)


def test_the_fingerprint_depends_on_the_sizes_too() -> None:
    model = checkpoint("piano")
    assert tuned_state.fingerprint(replace(model, card={})) == tuned_state.fingerprint(model)
    assert tuned_state.fingerprint(checkpoint("piano", layers=3)) != tuned_state.fingerprint(model)
