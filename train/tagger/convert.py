"""Conversion of musicnn's weights, which come in its package on PyPI, to the tagger of `radio.judge`."""

from __future__ import annotations

import ast
import json
import zipfile
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.errors import SettingsError
from radio.judge.tagger import FORMAT
from radio.model.weights import tensorfile
from train.tagger.checkpoint_bundle import read_bundle

_LAYERS: Final = ("timbral1", "timbral2", "temporal1", "temporal2", "temporal3", "middle1", "middle2", "middle3")
"""The convolutions in the order of TensorFlow's numbers."""
_EPSILON: Final = 1e-3
"""Default of tf.layers.batch_normalization."""

Array = npt.NDArray[np.float32]


def convert(wheel: Path, target: Path) -> int:
    """Write the Million Song Dataset model of a musicnn wheel as a tagger, and its license next to it; return the size.

    Kernels are stored as float16, the rest as float32. Each batch normalization becomes a scale and a shift.

    Raises:
        SettingsError: the file is not a wheel of musicnn 0.1.0.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            arrays = read_bundle(
                archive.read("musicnn/MSD_musicnn/.index"), archive.read("musicnn/MSD_musicnn/.data-00000-of-00001")
            )
            names = _labels(archive.read("musicnn/configuration.py").decode(), "MSD_LABELS")
            license_text = archive.read("musicnn-0.1.0.dist-info/LICENSE.md")
        tensors = layers(arrays)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise SettingsError(f"{wheel}: not the wheel of musicnn 0.1.0 ({error})") from error
    tensorfile.write(target, tensors, {"format": FORMAT, "tags": json.dumps(names)})
    target.with_name("LICENSE-musicnn").write_bytes(license_text)
    return target.stat().st_size


def layers(arrays: dict[str, Array]) -> dict[str, npt.NDArray[np.generic]]:
    """Return the tagger's arrays from those of a checkpoint. Raise KeyError if one is missing."""
    tensors: dict[str, npt.NDArray[np.generic]] = dict(_normalization(arrays, "input", ""))
    for number, name in enumerate(_LAYERS):
        suffix = f"_{number}" if number else ""
        kernel = arrays[f"conv2d{suffix}/kernel"]
        tensors[f"{name}.kernel"] = kernel.reshape([size for size in kernel.shape if size > 1]).astype(np.float16)
        tensors[f"{name}.bias"] = arrays[f"conv2d{suffix}/bias"]
        tensors |= _normalization(arrays, name, f"_{number + 1}")
    tensors |= _normalization(arrays, "pool", "_9")
    for name, stored in (("hidden", "dense"), ("tags", "dense_1")):
        tensors[f"{name}.kernel"] = arrays[f"{stored}/kernel"].astype(np.float16)
        tensors[f"{name}.bias"] = arrays[f"{stored}/bias"]
    return tensors | _normalization(arrays, "hidden", "_10")


def _normalization(arrays: dict[str, Array], name: str, suffix: str) -> dict[str, Array]:
    gamma, beta, mean, variance = (
        arrays[f"batch_normalization{suffix}/{part}"] for part in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    scale = gamma / np.sqrt(variance + _EPSILON)
    return {f"{name}.scale": scale, f"{name}.shift": beta - mean * scale}


def _labels(source: str, name: str) -> list[str]:
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
            return [str(label) for label in ast.literal_eval(statement.value)]
    raise KeyError(name)
