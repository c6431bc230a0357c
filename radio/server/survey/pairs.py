"""The pairs of passages that listeners compare, from a folder of recordings, and their order for each listener.

A survey folder has a subfolder for each condition, such as `felt` and `rhodes`. Files of the same name in two of them
form a pair. A text file of that name next to the subfolders, such as `night.txt`, contains words that both should
match.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal, TypeAlias

from radio.errors import SettingsError
from radio.judge.score import SUFFIXES

Side: TypeAlias = Literal["a", "b"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two passages of the same name.

    conditions: the names of their folders, in alphabetical order. words: the words that both should match, or None.
    """

    name: str
    conditions: tuple[str, str]
    files: tuple[Path, Path]
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A pair as presented to one listener.

    number: index of the pair in the survey. swapped: whether side `a` plays the second condition.
    """

    number: int
    swapped: bool

    def index(self, side: Side) -> int:
        """Return the index of a side's passage in the pair: 0 or 1."""
        return int(self.swapped != (side == "b"))


def read_pairs(folder: Path) -> list[Pair]:
    """Return the pairs of a folder, by name.

    Raises:
        SettingsError: There is no such folder, it has no pair, or two recordings of a condition have the same name.
    """
    if not folder.is_dir():
        raise SettingsError(
            f"{folder} is not a folder; a survey needs one with a subfolder of recordings for each condition"
        )
    conditions = {path.name: _recordings(path) for path in sorted(folder.iterdir()) if path.is_dir()}
    pairs = [
        Pair(name, (first, second), (conditions[first][name], conditions[second][name]), _words(folder, name))
        for first, second in combinations(conditions, 2)
        for name in conditions[first]
        if name in conditions[second]
    ]
    if not pairs:
        raise SettingsError(
            f"{folder} has no pair: it needs two folders, one for each condition, with recordings of the same name, "
            f"such as {folder}/felt/night.mp3 and {folder}/rhodes/night.mp3"
        )
    return sorted(pairs, key=lambda pair: (pair.name, pair.conditions))


def order(pairs: Sequence[Pair], *, seed: int, listener: int, count: int) -> list[Placed]:
    """Return the pairs of one listener: `count` of them at most, in random order, sides swapped at random.

    The same seed and number of the listener give the same order.
    """
    source = random.Random(f"{seed} {listener}")
    numbers = source.sample(range(len(pairs)), min(count, len(pairs)))
    return [Placed(number, source.random() < 0.5) for number in numbers]


def _recordings(folder: Path) -> dict[str, Path]:
    """Return the recordings of a condition by name. Raises SettingsError if two have the same name."""
    recordings: dict[str, Path] = {}
    for file in sorted(filter(_is_recording, folder.iterdir())):
        if (other := recordings.setdefault(file.stem, file)) != file:
            raise SettingsError(f"{folder} has {other.name} and {file.name}; give each recording its own name")
    return recordings


def _is_recording(path: Path) -> bool:
    """Return True if a file is a recording. Hidden files of other systems may have the same suffix."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _words(folder: Path, name: str) -> str | None:
    path = folder / f"{name}.txt"
    return " ".join(path.read_text(encoding="utf-8").split()) or None if path.is_file() else None
