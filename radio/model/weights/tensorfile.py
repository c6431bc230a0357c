"""Files of named arrays: the safetensors format with a chosen order and alignment.

The safetensors library sorts the arrays of a file and does not align them. The native engine reads a model sequentially
and needs each array to start on a cache line. A file contains its own SHA-256, so that one damaged byte is detected.
Source: github.com/huggingface/safetensors, README, "Format".
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from radio import files
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
_DIGEST = "sha256"
"""The key of the SHA-256 of the whole file, with zeros in place of the digest itself."""
_NO_DIGEST = "0" * 64
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


def write(path: Path, tensors: Tensors, metadata: Mapping[str, str]) -> None:
    """Write arrays in their given order. The target is replaced only once the whole file is on disk.

    Raises:
        OSError: The file cannot be written; the error names it.
    """
    header: dict[str, object] = {"__metadata__": {**metadata, _DIGEST: _NO_DIGEST}}
    end = 0
    for name, array in tensors.items():
        start, end = end, end + array.nbytes
        dtype = _NAMES[array.dtype.type]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % _LINE)
    head = len(text).to_bytes(8, "little") + text
    parts = [np.ascontiguousarray(array).data for array in tensors.values()]
    digest = hashlib.sha256(head)
    for part in parts:
        digest.update(part)
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            file.write(head.replace(_NO_DIGEST.encode(), digest.hexdigest().encode(), 1))
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error  # the error of a full disk names no file
    partial.replace(path)


def read(path: Path) -> tuple[Tensors, Mapping[str, str]]:
    """Read a file. Return its arrays, read-only, and its metadata.

    Raises:
        ModelError: The file is missing, truncated, changed, or not of this format. No array reaches beyond the file.
    """
    try:
        return _parse(files.read(path))
    except FileNotFoundError:
        raise ModelError(f"{path}: no such file") from None
    except (OSError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: corrupt or not safetensors ({error})") from error


def _parse(content: memoryview) -> tuple[Tensors, Mapping[str, str]]:
    """Parse a file. Raise LookupError, TypeError or ValueError if it is not a whole file of this format."""
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(_LONGEST_HEADER, len(content) - 8):
        raise ValueError("the header is truncated")
    text = bytes(content[8 : 8 + length])
    header = json.loads(text.decode())
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
        if end > len(content) - 8 - length:
            raise ValueError(f"{name} is truncated")
        expected = end
        tensors[name] = np.frombuffer(content, _DTYPES[dtype], count, 8 + length + start).reshape(shape)
    if expected != len(content) - 8 - length:
        raise ValueError("it contains more data than its header lists")
    if (digest := metadata.pop(_DIGEST, None)) is not None:
        actual = hashlib.sha256(content[:8])
        actual.update(text.replace(digest.encode(), _NO_DIGEST.encode(), 1))
        actual.update(content[8 + length :])
        if actual.hexdigest() != digest:
            raise ValueError("its content has changed since it was written: its SHA-256 differs")
    return tensors, metadata
