"""`python -m train card`: put what was measured of a checkpoint into its card, in the file's header and beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from radio.errors import SettingsError
from radio.model.weights import checkpoint
from radio.model.weights.packing import WeightFormat
from radio.types import JsonValue


def add(path: Path, figures: Mapping[str, Path]) -> None:
    """Write the contents of JSON files into the card of the checkpoint `path`, each under its name; weights stay.

    Raises:
        SettingsError: a file is not JSON.
        ModelError: `path` is not a checkpoint.
    """
    stored = checkpoint.read(path)
    measured: dict[str, JsonValue] = {}
    for name, source in figures.items():
        try:
            measured[name] = json.loads(source.read_text())
        except (OSError, ValueError) as error:
            raise SettingsError(f"{source}: cannot be read as JSON ({error})") from error
    write(path, replace(stored, card=dict(stored.card) | measured))


def write(path: Path, described: checkpoint.Checkpoint, weight_format: WeightFormat | None = None) -> None:
    """Write a checkpoint (in `weight_format`, or as it is) and, beside it, its card as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.write(path, described, weight_format)
    path.with_suffix(".json").write_text(json.dumps(described.card, indent=2, ensure_ascii=False) + "\n")


def named(words: list[str]) -> dict[str, Path]:
    """`name=file` words as a mapping. Raises SettingsError where one is neither."""
    pairs = [word.partition("=") for word in words]
    wrong = [f"{name}{equals}{path}: write NAME=FILE.json" for name, equals, path in pairs if not (name and path)]
    if wrong:
        raise SettingsError(wrong)
    return {name: Path(path) for name, _, path in pairs}
