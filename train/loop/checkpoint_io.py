"""Checkpoints on disk: replaced as a whole, so that whoever is killed while writing leaves the one before."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins import TorchCheckpointIO


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the file and renames.

    Lightning's own writes to the system's temporary folder, from where another file system's file is copied.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: object | None = None
    ) -> None:
        if storage_options is not None:
            raise TypeError("checkpoints are plain files, there are no storage options")
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".partial")
        with beside.open("wb") as file:
            torch.save(checkpoint, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
