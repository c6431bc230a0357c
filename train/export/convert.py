"""A checkpoint in another weight format, or as RWKV's own runtimes read it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from radio.errors import SettingsError
from radio.model.weights import checkpoint
from radio.model.weights.packing import WeightFormat


def convert(source: Path, out: Path, weight_format: WeightFormat) -> None:
    """Write `source` again as `out`: .safetensors with weights in `weight_format`, or .pth, always float32.

    The .pth is RWKV-LM's: names, shapes and nesting as `torch.save(model.state_dict())` there, which the `rwkv` package
    reads. Neither vocabulary nor card go with it.
    """
    read = checkpoint.read(source)
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".safetensors":
        checkpoint.write(out, read, weight_format)
    elif out.suffix == ".pth":
        torch.save({name: torch.from_numpy(np.array(array)) for name, array in read.weights.items()}, out)
    else:
        raise SettingsError(f"{out}: a model ends in .safetensors or .pth")
