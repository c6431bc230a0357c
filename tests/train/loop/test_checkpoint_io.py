from __future__ import annotations

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
