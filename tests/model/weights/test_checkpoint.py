from __future__ import annotations

import json
import resource
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save_file
from safetensors.torch import save_file as torch_save

from radio.errors import ModelError
from radio.model.engines.native_engine import NativeEngine
from radio.model.spec.rwkv import Rwkv6Spec
from radio.model.weights import checkpoint as checkpoints
from radio.model.weights.checkpoint import Checkpoint
from radio.model.weights.packing import WEIGHT_FORMATS, WeightFormat
from radio.music.vocab import NAMES
from tests.model.models import checkpoint, random_checkpoint


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "piano.safetensors"


def write_plain(path: Path, made: Checkpoint, **metadata: str) -> None:
    """Write a file in the first format: float32 arrays in natural shapes, written by the safetensors library."""
    header = {
        "format": "radio-rwkv6-1",
        "part": made.part.name,
        "spec": json.dumps(asdict(made.spec)),
        "tokens": json.dumps([NAMES[token] for token in made.tokens]),
        "card": json.dumps(made.card),
    } | metadata
    save_file({name: np.ascontiguousarray(array) for name, array in made.weights.items()}, path, header)


def test_a_full_disk_is_an_error_that_names_the_file_and_leaves_the_old_one(path: Path) -> None:
    checkpoints.write(path, checkpoint(), "fp32")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            checkpoints.write(path, checkpoint(), "fp32")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(path)
    assert checkpoints.read(path).part == checkpoint().part
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("weight_format", "error"),
    [
        ("fp32", 0),
        ("bf16", 2**-8),
        ("int8", 0.5 / 127),
    ],  # relative to the weight; int8: to the largest weight of its row
)
def test_a_checkpoint_reads_back_within_the_error_of_its_weight_format(
    path: Path, weight_format: WeightFormat, error: float
) -> None:
    for spec in (checkpoint().spec, Rwkv6Spec(1, 64, 437, mix_rank=3, decay_rank=5)):
        written = random_checkpoint(spec)
        checkpoints.write(path, written, weight_format)
        loaded = checkpoints.read(path)
        assert loaded == replace(written, weights=loaded.weights)
        assert set(loaded.weights) == set(written.weights)
        for name, array in written.weights.items():
            by_row = array.swapaxes(-1, -2) if name.endswith(("_w1", "_w2")) else array
            largest = np.abs(by_row).max(axis=-1, keepdims=True)
            largest = largest.swapaxes(-1, -2) if name.endswith(("_w1", "_w2")) else largest
            limit = (largest if weight_format == "int8" else np.abs(array)) * error * written.spec.is_matrix(name)
            assert loaded.weights[name].dtype == np.float32
            assert (np.abs(loaded.weights[name] - array) <= limit * 1.001).all(), name


def test_the_safetensors_library_reads_a_checkpoint(path: Path) -> None:
    checkpoints.write(path, checkpoint(), "int8")
    stored = checkpoints.read(path).packed().tensors
    with safe_open(path, framework="numpy") as file:
        assert set(file.keys()) == set(stored)
        assert file.metadata()["weights"] == "int8"
        for name in file.keys():  # noqa: SIM118 - not a mapping
            np.testing.assert_array_equal(file.get_tensor(name), stored[name])
    assert all(array.ctypes.data % 64 == 0 for array in stored.values())


@pytest.mark.parametrize("weight_format", WEIGHT_FORMATS)
def test_packing_a_packed_checkpoint_changes_nothing(path: Path, weight_format: WeightFormat) -> None:
    checkpoints.write(path, checkpoint(), weight_format)
    once = path.read_bytes()
    checkpoints.write(path, checkpoints.read(path))
    assert path.read_bytes() == once
    checkpoints.write(path, checkpoints.read(path), "fp32")
    checkpoints.write(path, checkpoints.read(path), weight_format)
    assert path.read_bytes() == once


def test_a_file_of_the_first_format_is_read(path: Path) -> None:
    made = checkpoint()
    write_plain(path, made)
    loaded = checkpoints.read(path, made.part)
    assert loaded == replace(made, weights=loaded.weights)
    for name, array in made.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], array)
    write_plain(path, changed(made, "ln_out.bias", np.zeros(2, np.float32)))
    with pytest.raises(ModelError, match="has shape"):
        checkpoints.read(path)


def test_the_shapes_are_those_of_the_training_network() -> None:
    made = checkpoint()
    assert made.spec.shapes() == {name: array.shape for name, array in made.weights.items()}


def test_a_missing_file_is_rejected(path: Path) -> None:
    with pytest.raises(ModelError, match=r"piano\.safetensors: no such file"):
        checkpoints.read(path)


@pytest.mark.parametrize("size", [0, 5, 100, 5000, -1])
def test_a_truncated_file_is_rejected(path: Path, size: int) -> None:
    checkpoints.write(path, checkpoint())
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ModelError, match="corrupt or not safetensors"):
        checkpoints.read(path)


def test_an_unsupported_dtype_is_rejected(path: Path) -> None:
    torch_save({"weight": torch.zeros(3, dtype=torch.float64)}, path, {"format": "radio-rwkv6-2"})
    with pytest.raises(ModelError, match="corrupt or not safetensors"):
        checkpoints.read(path)


def test_a_safetensors_file_of_another_program_is_rejected(path: Path) -> None:
    save_file({"weight": np.zeros(3, np.float32)}, path)
    with pytest.raises(ModelError, match="not a checkpoint of this radio"):
        checkpoints.read(path)


def write_with_metadata(path: Path, **metadata: str) -> None:
    made = checkpoint()
    header = {"spec": json.dumps({"layers": 2, "width": 64, "vocabulary": made.spec.vocabulary})}
    write_plain(path, made, **(header | {"tokens": json.dumps(["t5"] * made.spec.vocabulary)} | metadata))


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"tokens": json.dumps(["<warp>"])}, "tokens contradict the vocabulary table"),
        ({}, "tokens contradict the vocabulary table"),
        ({"tokens": json.dumps(["t5", "t10"])}, "lists 2 tokens for"),
        ({"part": "tuba"}, "header is malformed"),
        ({"tokens": "3"}, "header is malformed"),
        ({"tokens": "[[1]]"}, "header is malformed"),
        ({"spec": "{"}, "header is malformed"),
        ({"spec": "[" * 100_000}, "header is malformed"),
        ({"spec": json.dumps({"layers": 1.5, "width": 64, "vocabulary": 437})}, "sizes must be integers"),
        ({"format": "radio-rwkv6-2", "weights": "int4"}, "unknown weight format 'int4'; use fp32, bf16, int8"),
        ({"format": "radio-rwkv6-2"}, "header is malformed"),
        ({"spec": json.dumps({"layers": 2, "width": 65, "vocabulary": 3})}, "multiple of 64"),
    ],
)
def test_an_invalid_header_is_rejected(path: Path, metadata: dict[str, str], message: str) -> None:
    write_with_metadata(path, **metadata)
    with pytest.raises(ModelError, match=message):
        checkpoints.read(path)


def test_a_huge_layer_count_is_rejected_before_listing_its_arrays(path: Path) -> None:
    made = checkpoint()
    write_plain(path, made, spec=json.dumps(asdict(replace(made.spec, layers=10**9))))
    with pytest.raises(ModelError, match="too few for 1000000000 layers"):
        checkpoints.read(path)


def changed(made: Checkpoint, name: str, array: np.ndarray | None) -> Checkpoint:
    weights = dict(made.weights)
    if array is None:
        del weights[name]
    else:
        weights[name] = array
    return replace(made, weights=weights)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("head.weight", None, "missing"),
        ("extra", np.zeros(2, np.float32), "unexpected"),
        ("ln_out.bias", np.zeros(2, np.float32), "has shape"),
        ("ln_out.bias", np.full(64, np.nan, np.float32), "infinite or NaN"),
    ],
)
def test_invalid_weights_are_rejected(path: Path, name: str, array: np.ndarray | None, message: str) -> None:
    write_plain(path, changed(checkpoint(), name, array))
    with pytest.raises(ModelError, match=message):
        checkpoints.read(path)


@pytest.mark.parametrize(
    ("weight_format", "name", "value", "message"),
    [
        ("int8", "head.weight", np.int8(-128), "head.weight contains -128"),
        ("int8", "head.weight.scale", np.float32(np.inf), "head.weight.scale contains infinite or NaN values"),
        ("int8", "blocks.1.ln1.bias", np.float32(np.nan), "infinite or NaN"),
        ("bf16", "emb.weight", np.uint16(0x7FC0), "emb.weight contains infinite or NaN values"),
        ("fp32", "blocks.0.att.time_maa_w2", np.float32(-np.inf), "infinite or NaN"),
    ],
)
def test_invalid_stored_numbers_are_rejected(
    path: Path, weight_format: WeightFormat, name: str, value: np.generic, message: str
) -> None:
    packed = checkpoint().packed(weight_format)
    wrong = packed.tensors[name].copy()
    wrong.flat[-1] = value
    tensors = {**packed.tensors, name: wrong}
    checkpoints.write(path, replace(checkpoint(), weights=replace(packed, tensors=tensors)))
    with pytest.raises(ModelError, match=message):
        checkpoints.read(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_rejected_or_stepped_within_bounds(path: Path, data: st.DataObject) -> None:
    checkpoints.write(path, random_checkpoint(Rwkv6Spec(1, 64, 20, mix_rank=1, decay_rank=1)), "int8")
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    damaged = bytearray(whole[: data.draw(st.integers(0, len(whole)) | st.just(len(whole)))])
    for _ in range(data.draw(st.integers(0, 4))):
        if damaged:
            damaged[data.draw(st.integers(0, min(header, len(damaged)) - 1))] = data.draw(st.integers(0, 255))
    path.with_suffix(".damaged").write_bytes(damaged)
    try:
        engine = NativeEngine(checkpoints.read(path.with_suffix(".damaged")))
    except ModelError:
        return
    logits, _ = engine.step([1], engine.zero_state())
    assert logits.shape == (engine.spec.vocabulary,)
