"""A reader of TensorFlow's checkpoints (bundles), without TensorFlow: an index of names and a file of arrays.

Sources: tensorflow/core/util/tensor_bundle/tensor_bundle.h (the bundle), tensorflow/core/protobuf/tensor_bundle.proto
(its entries), and github.com/google/leveldb, doc/table_format.md (the index).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.errors import SettingsError

_FOOTER: Final = 48
_MAGIC: Final = 0xDB4775248B80FB57
_FLOAT: Final = 1
"""DT_FLOAT in tensorflow/core/framework/types.proto."""
_TRAILER: Final = 5
"""Bytes after a block: its compression and a checksum."""


def read_bundle(index: bytes, data: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """Return the float32 arrays of a bundle by name; arrays of other types are left out.

    Args:
        index: the contents of the `.index` file.
        data: the contents of the only `.data-00000-of-00001` file.

    Raises:
        SettingsError: the index is not a table, is compressed, or names bytes that `data` lacks.
    """
    try:
        return dict(_arrays(index, data))
    except (IndexError, ValueError) as error:
        raise SettingsError(f"not a checkpoint of TensorFlow, or not a whole one ({error})") from error


def _arrays(index: bytes, data: bytes) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    footer = index[-_FOOTER:]
    if int.from_bytes(footer[-8:], "little") != _MAGIC:
        raise ValueError("the index does not end with a table's magic number")
    *_, root, root_size = _numbers(footer, 4)
    for _, handle in _entries(index, root, root_size):
        for key, value in _entries(index, *_numbers(handle, 2)):
            fields = dict(_fields(value))
            if not key or fields.get(1) != _FLOAT:  # the entry without a name is the header
                continue
            shape = [
                _integer(dict(_fields(dimension)).get(1, 0)) for dimension in _dimensions(_bytes(fields.get(2, b"")))
            ]
            offset, length = _integer(fields.get(4, 0)), _integer(fields.get(5, 0))
            array = np.frombuffer(data[offset : offset + length], "<f4")
            yield key.decode(), array.astype(np.float32).reshape(shape)


def _entries(table: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a block. A key shares a prefix with the previous one."""
    if start + size + _TRAILER > len(table):
        raise ValueError("a block reaches beyond the index")
    if table[start + size]:
        raise ValueError("the index is compressed; only plain ones can be read")
    block = table[start : start + size]
    end = size - 4 - 4 * int.from_bytes(block[-4:], "little")
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        unshared, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + unshared]
        at += unshared
        yield key, block[at : at + length]
        at += length


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and the value of each field of a protocol buffer."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
        elif kind in (2, 5):
            length, at = _varint(message, at) if kind == 2 else (4, at)
            yield number, message[at : at + length]
            at += length
        else:
            raise ValueError(f"a field of wire type {kind}")


def _dimensions(shape: bytes) -> list[bytes]:
    return [_bytes(value) for number, value in _fields(shape) if number == 2]


def _numbers(data: bytes, count: int) -> list[int]:
    numbers, at = [], 0
    for _ in range(count):
        number, at = _varint(data, at)
        numbers.append(number)
    return numbers


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that starts at a place, and the place after it."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return number, at


def _integer(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise ValueError("a number is expected in an entry")  # noqa: TRY004  # a damaged file, not a wrong call
    return value


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a message is expected in an entry")  # noqa: TRY004  # likewise
    return value
