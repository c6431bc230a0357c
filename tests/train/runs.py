"""Helpers for tests of whole runs."""

from __future__ import annotations

from pathlib import Path

import torch


def weights(path: Path) -> dict[str, torch.Tensor]:
    """Return the weights of a run's checkpoint."""
    stored: dict[str, torch.Tensor] = torch.load(path, weights_only=True)["state_dict"]
    return stored


def assert_same(one: Path, other: Path, *, within: float = 0.0) -> None:
    """Assert that two checkpoints have the same weights, bit for bit or `within` a distance."""
    actual, expected = weights(one), weights(other)
    assert actual.keys() == expected.keys()
    apart = {name: float((tensor - expected[name]).abs().max()) for name, tensor in actual.items()}
    differing = {name: distance for name, distance in apart.items() if not distance <= within}
    assert differing == {}, differing
