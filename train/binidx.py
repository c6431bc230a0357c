"""binidx: the indexed token files that RWKV-LM and GPT-NeoX read (`MMIDIDX`), written and memory-mapped.

Layout of the .idx file, little-endian (Megatron-LM's MMapIndexedDataset): magic, version u64 = 1, dtype code u8,
pieces u64, documents u64, sizes i32 × pieces, byte offsets i64 × pieces, document starts i64 × documents.
The .bin file holds the tokens of all pieces, one after another.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from radio.errors import MidiError
from radio.types import TokenId

MAGIC = b"MMIDIDX\x00\x00"
VERSION = 1
UINT16 = 8
_HEADER = struct.Struct("<QBQQ")

Tokens = npt.NDArray[np.uint16]


def write(prefix: Path, pieces: Iterable[Iterable[TokenId]]) -> int:
    """Write `prefix`.bin and `prefix`.idx; each piece is one document. Returns the number of tokens."""
    sizes: list[int] = []
    with prefix.with_suffix(".bin").open("wb") as file:
        for piece in pieces:
            tokens = np.fromiter(piece, dtype="<u2")
            file.write(tokens.tobytes())
            sizes.append(len(tokens))
    offsets = 2 * np.cumsum([0, *sizes[:-1]], dtype="<i8") if sizes else np.zeros(0, dtype="<i8")
    documents = np.arange(len(sizes) + 1, dtype="<i8")
    with prefix.with_suffix(".idx").open("wb") as file:
        file.write(MAGIC)
        file.write(_HEADER.pack(VERSION, UINT16, len(sizes), len(documents)))
        file.write(np.asarray(sizes, dtype="<i4").tobytes())
        file.write(offsets.tobytes())
        file.write(documents.tobytes())
    return sum(sizes)


def read(prefix: Path) -> list[Tokens]:
    """The pieces of `prefix`.bin and .idx, memory-mapped.

    Raises:
        MidiError: a file is missing, foreign, truncated, or not of 16-bit tokens.
    """
    index_path, tokens_path = prefix.with_suffix(".idx"), prefix.with_suffix(".bin")
    for path in (index_path, tokens_path):
        if not path.is_file():
            raise MidiError(f"{path}: no such file; `python -m train prepare` makes it")
    index = index_path.read_bytes()
    start = len(MAGIC) + _HEADER.size
    if not index.startswith(MAGIC) or len(index) < start:
        raise MidiError(f"{index_path}: not a binidx index (it must begin with {MAGIC!r})")
    version, dtype, count, documents = _HEADER.unpack_from(index, len(MAGIC))
    if (version, dtype) != (VERSION, UINT16):
        raise MidiError(f"{index_path}: version {version}, dtype {dtype}; version 1 with 16-bit tokens (8) is read")
    if len(index) != start + count * 12 + documents * 8:
        raise MidiError(f"{index_path}: truncated: {len(index)} bytes for {count} pieces")
    sizes = np.frombuffer(index, "<i4", count, start)
    offsets = np.frombuffer(index, "<i8", count, start + 4 * count)
    if tokens_path.stat().st_size < 2 * int(sizes.sum()):
        raise MidiError(f"{tokens_path}: truncated: its index promises {int(sizes.sum())} tokens")
    if not count:
        return []
    tokens: Tokens = np.memmap(tokens_path, dtype="<u2", mode="r")
    return [tokens[offset // 2 : offset // 2 + size] for offset, size in zip(offsets, sizes, strict=True)]


def write_weights(prefix: Path, weights: Sequence[float]) -> None:
    """Write how often each piece is to be read, a number a line, into `prefix`.weights; no file where all are alike."""
    path = prefix.with_suffix(".weights")
    if len(set(weights)) <= 1:
        path.unlink(missing_ok=True)
    else:
        path.write_text("".join(f"{weight:.6g}\n" for weight in weights))


def read_weights(prefix: Path, pieces: int) -> npt.NDArray[np.float64] | None:
    """The weights of the `pieces` of `prefix`; None where all are read alike.

    Raises:
        MidiError: not one number above 0 for each piece.
    """
    path = prefix.with_suffix(".weights")
    if not path.is_file():
        return None
    try:
        weights = np.array([float(line) for line in path.read_text().split()])
    except ValueError as error:
        raise MidiError(f"{path}: a number a line was expected ({error})") from None
    if len(weights) != pieces or not (np.isfinite(weights) & (weights > 0)).all():
        raise MidiError(
            f"{path}: one number above 0 was expected for each of {pieces} pieces; prepare the corpus again"
        )
    return weights
