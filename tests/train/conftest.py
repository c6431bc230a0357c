from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.train.corpora import pop909_song
from train.loop.recipe import Recipe
from train.prepare.corpus import prepare


@pytest.fixture(autouse=True)
def denormals() -> Iterator[None]:
    """Undo torch's flushing of denormal numbers after a training, because it affects the whole process."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("corpus")
    for number in (18, 19, 20, 21):
        pop909_song(root / "in", number, bars=12)
    prepare("pop909", root / "in", root / "pop909")
    return root / "pop909"


@pytest.fixture
def recipe(corpus: Path) -> Recipe:
    """Return a recipe of eight steps for a small model."""
    return Recipe(
        "piano", str(corpus), layers=2, width=64, tokens=8 * 2 * 64, lanes=2, window=64, rate=3e-3, warmup=2,
        precision="32-true", threads=1, validate_every=4, checkpoint_every=4,
    )  # fmt: skip
