"""Files of named arrays, mapped into memory: the safetensors format, in the order and at the places we want.

The library of that name sorts a file's arrays and lets them begin anywhere; the native engine reads a model from front
to back and wants each to begin on a cache line. Processes that map the same file share its pages.
Source: github.com/huggingface/safetensors, README, "Format".
"""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from radio.errors import ModelError

Tensors = Mapping[str, npt.NDArray[np.generic]]

_LINE = 64
_LONGEST_HEADER = 100_000_000
_DTYPES: Mapping[str, type[np.generic]] = {"F32": np.float32, "BF16": np.uint16, "I8": np.int8, "U32": np.uint32}
"""What our files hold; numpy has no bfloat16 and is given its 16 bits."""
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


def write(path: Path, tensors: Tensors, metadata: Mapping[str, str]) -> None:
    """Write arrays in the order given; the target is replaced only when all of it is on disk."""
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    end = 0
    for name, array in tensors.items():
        start, end = end, end + array.nbytes
        kind = _NAMES[array.dtype.type]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % _LINE)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in tensors.values():
            file.write(np.ascontiguousarray(array).data)
    partial.replace(path)


def read(path: Path) -> tuple[Tensors, Mapping[str, str]]:
    """Map a file: its arrays, read-only, and its metadata.

    Raises:
        ModelError: missing, truncated, or not of this format; no array then reaches beyond the file.
    """
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise ModelError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise ModelError(f"{path}: corrupt or not safetensors ({error})") from error
    try:
        return _parsed(mapped)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: corrupt or not safetensors ({error})") from error


def _parsed(mapped: mmap.mmap) -> tuple[Tensors, Mapping[str, str]]:
    """Raises KeyError, TypeError or ValueError where `mapped` is not a whole file of this format."""
    length = int.from_bytes(mapped[:8], "little")
    if len(mapped) < 8 or length > min(_LONGEST_HEADER, len(mapped) - 8):
        raise ValueError("the header is cut off")
    header = json.loads(mapped[8 : 8 + length].decode())
    if not isinstance(header, dict):
        raise TypeError("the header is no table")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise TypeError("the metadata are not words")
    tensors: dict[str, npt.NDArray[np.generic]] = {}
    expected = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        dtype, shape, (start, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        if dtype not in _DTYPES:
            raise ValueError(f"{name} holds numbers of the kind {dtype!r}, not {', '.join(_DTYPES)}")
        if not all(type(each) is int and each >= 0 for each in (start, end, *shape)):
            raise ValueError(f"{name} has no such shape or place: {shape}, {start} to {end}")
        count = math.prod(shape)
        if start != expected or end - start != count * np.dtype(_DTYPES[dtype]).itemsize:
            raise ValueError(f"{name} lies from {start} to {end}, which is not its place or its size")
        if end > len(mapped) - 8 - length:
            raise ValueError(f"{name} is cut off")
        expected = end
        tensors[name] = np.frombuffer(mapped, _DTYPES[dtype], count, 8 + length + start).reshape(shape)
    if expected != len(mapped) - 8 - length:
        raise ValueError("there is more in it than its header names")
    return tensors, metadata
