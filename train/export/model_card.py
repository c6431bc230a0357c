"""Model cards: JSON in the header of a checkpoint, and in a file next to it."""

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
    """Add the contents of JSON files to the card of the checkpoint `path`, each under its name.

    Raises:
        SettingsError: A file is not JSON.
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
    """Write a checkpoint (in `weight_format`, or in its own) and its card as JSON next to it.

    Raises:
        SettingsError: `path` does not end in .safetensors.
    """
    if path.suffix != ".safetensors":
        raise SettingsError(f"{path}: must end in .safetensors; the card is written next to it as .json")
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.write(path, described, weight_format)
    path.with_suffix(".json").write_text(json.dumps(described.card, indent=2, ensure_ascii=False) + "\n")


def parse_pairs(words: list[str]) -> dict[str, Path]:
    """Parse words of the form `name=file`. Raises SettingsError for other words."""
    pairs = [word.partition("=") for word in words]
    wrong = [f"{name}{equals}{path}: write NAME=FILE.json" for name, equals, path in pairs if not (name and path)]
    if wrong:
        raise SettingsError(wrong)
    return {name: Path(path) for name, _, path in pairs}
