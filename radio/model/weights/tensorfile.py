"""Memory-mapped files of named arrays: the safetensors format with a chosen order and alignment.

The safetensors library sorts the arrays of a file and does not align them. The native engine reads a model sequentially
and needs each array to start on a cache line. Processes that map the same file share its pages.
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
_DTYPES: Mapping[str, type[np.generic]] = {
    "F32": np.float32,
    "F16": np.float16,
    "BF16": np.uint16,
    "I8": np.int8,
    "U32": np.uint32,
}
"""The dtypes that a file can contain. numpy has no bfloat16, so its bits are stored as uint16."""
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


def write(path: Path, tensors: Tensors, metadata: Mapping[str, str]) -> None:
    """Write arrays in their given order. The target is replaced only once the whole file is on disk."""
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    end = 0
    for name, array in tensors.items():
        start, end = end, end + array.nbytes
        dtype = _NAMES[array.dtype.type]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % _LINE)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in tensors.values():
            file.write(np.ascontiguousarray(array).data)
    partial.replace(path)


def read(path: Path) -> tuple[Tensors, Mapping[str, str]]:
    """Map a file. Return its arrays, read-only, and its metadata.

    Raises:
        ModelError: The file is missing, truncated, or not of this format. No array reaches beyond the file.
    """
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise ModelError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise ModelError(f"{path}: corrupt or not safetensors ({error})") from error
    try:
        return _parse(mapped)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: corrupt or not safetensors ({error})") from error


def _parse(mapped: mmap.mmap) -> tuple[Tensors, Mapping[str, str]]:
    """Parse a mapped file. Raise KeyError, TypeError or ValueError if it is not a whole file of this format."""
    length = int.from_bytes(mapped[:8], "little")
    if len(mapped) < 8 or length > min(_LONGEST_HEADER, len(mapped) - 8):
        raise ValueError("the header is truncated")
    header = json.loads(mapped[8 : 8 + length].decode())
    if not isinstance(header, dict):
        raise TypeError("the header is not a JSON object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise TypeError("the metadata are not strings")
    tensors: dict[str, npt.NDArray[np.generic]] = {}
    expected = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        dtype, shape, (start, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        if dtype not in _DTYPES:
            raise ValueError(f"{name} has the dtype {dtype!r}; use {', '.join(_DTYPES)}")
        if not all(type(number) is int and number >= 0 for number in (start, end, *shape)):
            raise ValueError(f"{name} has an invalid shape or offset: {shape}, {start} to {end}")
        count = math.prod(shape)
        if start != expected or end - start != count * np.dtype(_DTYPES[dtype]).itemsize:
            raise ValueError(f"the offsets of {name}, {start} to {end}, do not match its shape or the array before")
        if end > len(mapped) - 8 - length:
            raise ValueError(f"{name} is truncated")
        expected = end
        tensors[name] = np.frombuffer(mapped, _DTYPES[dtype], count, 8 + length + start).reshape(shape)
    if expected != len(mapped) - 8 - length:
        raise ValueError("there is more data than its header lists")
    return tensors, metadata
