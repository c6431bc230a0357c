from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as torch_save

from radio.errors import ModelError
from radio.model import checkpoint as checkpoints
from radio.model.checkpoint import Checkpoint
from tests.model.models import checkpoint


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "piano.safetensors"


def test_what_is_written_reads_back(path: Path) -> None:
    written = checkpoint()
    checkpoints.write(path, written)
    back = checkpoints.read(path)
    assert (back.part, back.spec, back.tokens, back.card) == (written.part, written.spec, written.tokens, written.card)
    for name, array in written.weights.items():
        np.testing.assert_array_equal(back.weights[name], array)


def test_the_shapes_are_those_of_the_training_form() -> None:
    made = checkpoint()
    assert checkpoints.shapes(made.spec) == {name: array.shape for name, array in made.weights.items()}


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(ModelError, match=r"piano\.safetensors: no such checkpoint"):
        checkpoints.read(path)


@pytest.mark.parametrize("keep", [0, 5, 100, 5000, -1])
def test_a_truncated_file_is_refused(path: Path, keep: int) -> None:
    checkpoints.write(path, checkpoint())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match="corrupt or not safetensors"):
        checkpoints.read(path)


def test_numbers_of_a_kind_we_do_not_read_are_refused(path: Path) -> None:
    torch_save({"weight": torch.zeros(3, dtype=torch.bfloat16)}, path, {"format": checkpoints.FORMAT})
    with pytest.raises(ModelError, match="corrupt or not safetensors"):
        checkpoints.read(path)


def test_a_foreign_safetensors_file_is_refused(path: Path) -> None:
    save_file({"weight": np.zeros(3, np.float32)}, path)
    with pytest.raises(ModelError, match="not a checkpoint of this radio"):
        checkpoints.read(path)


def rewritten(path: Path, **metadata: str) -> None:
    made = checkpoint()
    checkpoints.write(path, made)
    header = {
        "format": checkpoints.FORMAT,
        "part": "piano",
        "spec": json.dumps({"layers": 2, "width": 64, "vocabulary": made.spec.vocabulary}),
        "tokens": json.dumps(["t5"] * made.spec.vocabulary),
        "card": "{}",
    } | metadata
    save_file(dict(made.weights), path, header)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"tokens": json.dumps(["<warp>"])}, "contradicts the vocabulary table"),
        ({}, "contradicts the vocabulary table"),
        ({"tokens": json.dumps(["t5", "t10"])}, "names 2 tokens but has rows for"),
        ({"part": "tuba"}, "header is malformed"),
        ({"tokens": "3"}, "header is malformed"),
        ({"tokens": "[[1]]"}, "header is malformed"),
        ({"spec": "{"}, "header is malformed"),
        ({"spec": json.dumps({"layers": 2, "width": 65, "vocabulary": 3})}, "multiple of 64"),
    ],
)
def test_a_header_that_is_wrong_is_refused(path: Path, metadata: dict[str, str], message: str) -> None:
    rewritten(path, **metadata)
    with pytest.raises(ModelError, match=message):
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
        ("ln_out.bias", np.full(64, np.nan, np.float32), "not finite"),
    ],
)
def test_weights_that_are_wrong_are_refused(path: Path, name: str, array: np.ndarray | None, message: str) -> None:
    checkpoints.write(path, changed(checkpoint(), name, array))
    with pytest.raises(ModelError, match=message):
        checkpoints.read(path)
