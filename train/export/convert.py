"""Conversion of checkpoints to another weight format, or to the files of RWKV's own runtimes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from radio.errors import SettingsError
from radio.model.weights import checkpoint
from radio.model.weights.packing import WeightFormat


def convert(source: Path, out: Path, weight_format: WeightFormat) -> None:
    """Convert `source` to `out`: .safetensors with weights in `weight_format`, or .pth, always in float32.

    The .pth file has the names, shapes and nesting of RWKV-LM's `torch.save(model.state_dict())`, which the `rwkv`
    package reads. It has neither vocabulary nor card.
    """
    read = checkpoint.read(source)
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".safetensors":
        checkpoint.write(out, read, weight_format)
    elif out.suffix == ".pth":
        torch.save({name: torch.from_numpy(np.array(array)) for name, array in read.weights.items()}, out)
    else:
        raise SettingsError(f"{out}: unsupported file type; use .safetensors or .pth")
