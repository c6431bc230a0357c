from __future__ import annotations

import resource
from pathlib import Path

import pytest
import torch

from train.loop.checkpoint_io import AtomicCheckpointIO


def test_an_interrupted_write_leaves_the_previous_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, save = tmp_path / "run" / "last.ckpt", AtomicCheckpointIO().save_checkpoint
    save({"step": 1}, path)

    def half(checkpoint: object, file) -> None:
        file.write(b"half of it")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", half)
        with pytest.raises(KeyboardInterrupt):
            save({"step": 2}, path)
    assert torch.load(path, weights_only=True) == {"step": 1}
    save({"step": 3}, path)
    assert torch.load(path, weights_only=True) == {"step": 3}
    assert [entry.name for entry in path.parent.iterdir()] == ["last.ckpt"]


def test_a_full_disk_is_an_error_that_names_the_checkpoint(tmp_path: Path) -> None:
    path, save = tmp_path / "run" / "last.ckpt", AtomicCheckpointIO().save_checkpoint
    save({"weights": torch.zeros(10)}, path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            save({"weights": torch.zeros(100_000)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(path)
    assert torch.load(path, weights_only=True)["weights"].shape == (10,)
    assert [entry.name for entry in path.parent.iterdir()] == ["last.ckpt"]
