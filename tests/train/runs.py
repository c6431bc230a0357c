"""What tests of whole runs share."""

from __future__ import annotations

from pathlib import Path

import torch


def weights(path: Path) -> dict[str, torch.Tensor]:
    """A run's, of its checkpoint."""
    stored: dict[str, torch.Tensor] = torch.load(path, weights_only=True)["state_dict"]
    return stored


def assert_same(one: Path, other: Path, *, within: float = 0.0) -> None:
    """Hold two checkpoints' weights together, to the bit or `within`."""
    found, expected = weights(one), weights(other)
    assert found.keys() == expected.keys()
    apart = {name: float((tensor - expected[name]).abs().max()) for name, tensor in found.items()}
    assert {name: distance for name, distance in apart.items() if not distance <= within} == {}
