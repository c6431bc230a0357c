"""Figures are added to a checkpoint's card, and the weights do not change."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from radio.errors import SettingsError
from radio.model.weights import checkpoint as checkpoints
from tests.model.models import checkpoint
from train.export.model_card import add, parse_pairs, write


def test_figures_are_added_to_the_header_and_to_the_json_file(tmp_path: Path) -> None:
    path, measured = tmp_path / "a.safetensors", tmp_path / "measured.json"
    checkpoints.write(path, checkpoint(), "int8")
    before = checkpoints.read(path)
    arrays = {name: np.array(array) for name, array in before.packed().tensors.items()}
    measured.write_text('{"tonal stability": 0.9}')
    add(path, parse_pairs([f"metrics={measured}"]))
    after = checkpoints.read(path)
    assert after.card == dict(before.card) | {"metrics": {"tonal stability": 0.9}}
    assert json.loads(path.with_suffix(".json").read_text()) == after.card
    assert all((after.packed().tensors[name] == array).all() for name, array in arrays.items())


def test_a_model_is_not_written_where_its_card_goes(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"a\.json: must end in \.safetensors"):
        write(tmp_path / "a.json", checkpoint())
    assert not (tmp_path / "a.json").exists()


def test_unreadable_figures_are_an_error(tmp_path: Path) -> None:
    checkpoints.write(tmp_path / "a.safetensors", checkpoint(), "int8")
    with pytest.raises(SettingsError, match=r"metrics: write NAME=FILE\.json"):
        parse_pairs(["metrics"])
    with pytest.raises(SettingsError, match="cannot be read as JSON"):
        add(tmp_path / "a.safetensors", {"metrics": tmp_path / "none.json"})
