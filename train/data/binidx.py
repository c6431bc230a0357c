"""binidx, the indexed token files of RWKV-LM and GPT-NeoX (`MMIDIDX`).

Layout of the .idx file, little-endian (Megatron-LM's `IndexedDataset`, GPT-NeoX's `MMapIndexedDataset`): magic, version
u64 = 1, dtype code u8, S sequences u64, D + 1 document bounds u64, sizes i32 × S, byte offsets i64 × S, bounds i64 × (D
+ 1): document d is the sequences from bound d up to bound d + 1. The .bin file has the tokens of all sequences, one
after another. We write a piece as a document of one sequence, 16 bits per token, and read any integer type.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radio.errors import MidiError
from radio.types import TokenId

MAGIC = b"MMIDIDX\x00\x00"
VERSION = 1
UINT16 = 8
INTEGERS: Final = MappingProxyType({1: "u1", 2: "i1", 3: "<i2", 4: "<i4", 5: "<i8", UINT16: "<u2"})
"""The format's codes for integer types (6 and 7 are floating-point types)."""
_HEADER = struct.Struct("<QBQQ")

Tokens = npt.NDArray[np.uint16]


def write(prefix: Path, pieces: Iterable[Iterable[TokenId]]) -> int:
    """Write `prefix`.bin and `prefix`.idx, one document per piece; return the number of tokens."""
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
    """Read the documents of `prefix`.bin and .idx; single sequences of 16-bit tokens are memory-mapped.

    Raises:
        MidiError: A file is missing, in another format or truncated, or a token does not fit into 16 bits.
    """
    index_path, tokens_path = prefix.with_suffix(".idx"), prefix.with_suffix(".bin")
    for path in (index_path, tokens_path):
        if not path.is_file():
            raise MidiError(f"{path}: no such file; `python -m train prepare` writes it")
    index = index_path.read_bytes()
    start = len(MAGIC) + _HEADER.size
    if not index.startswith(MAGIC) or len(index) < start:
        raise MidiError(f"{index_path}: not a binidx index; it must start with {MAGIC!r}")
    version, code, count, bounds = _HEADER.unpack_from(index, len(MAGIC))
    if version != VERSION or code not in INTEGERS:
        raise MidiError(
            f"{index_path}: version {version} with dtype {code} is not supported; use version 1 and whole numbers"
        )
    if len(index) < start + count * 12 + bounds * 8:
        raise MidiError(f"{index_path}: truncated: {len(index)} bytes for {count} sequences")
    sizes = np.frombuffer(index, "<i4", count, start).astype(np.int64)
    offsets = np.frombuffer(index, "<i8", count, start + 4 * count)
    documents = np.frombuffer(index, "<i8", bounds, start + 12 * count)
    width = np.dtype(INTEGERS[code]).itemsize
    if not count or not sizes.sum():
        return []
    if min(sizes.min(), offsets.min()) < 0 or int((offsets + sizes * width).max()) > tokens_path.stat().st_size:
        raise MidiError(f"{tokens_path}: truncated: its index lists {int(sizes.sum())} tokens")
    stored = np.memmap(tokens_path, dtype=np.uint8, mode="r")
    sequences = [
        stored[offset : offset + size * width].view(INTEGERS[code])
        for offset, size in zip(offsets.tolist(), sizes.tolist(), strict=True)
    ]
    return [_piece(sequences[first:end], tokens_path) for first, end in pairwise(documents.tolist()) if end > first]


def _piece(sequences: list[npt.NDArray[Any]], path: Path) -> Tokens:
    whole = sequences[0] if len(sequences) == 1 else np.concatenate(sequences)
    if whole.dtype == np.uint16:
        return whole
    if len(whole) and not 0 <= whole.min() <= whole.max() < 2**16:
        raise MidiError(f"{path}: tokens from {int(whole.min())} to {int(whole.max())}; they must be in 0 to 65535")
    return whole.astype(np.uint16)


def write_weights(prefix: Path, weights: Sequence[float]) -> None:
    """Write the weight of each piece to `prefix`.weights, one per line; no file if all are equal."""
    path = prefix.with_suffix(".weights")
    if len(set(weights)) <= 1:
        path.unlink(missing_ok=True)
    else:
        path.write_text("".join(f"{weight:.6g}\n" for weight in weights))


def read_weights(prefix: Path, pieces: int) -> npt.NDArray[np.float64] | None:
    """Read the weights of the `pieces` of `prefix`; return None if all are equal.

    Raises:
        MidiError: The file does not have one number above 0 for each piece.
    """
    path = prefix.with_suffix(".weights")
    if not path.is_file():
        return None
    try:
        weights = np.array([float(line) for line in path.read_text().split()])
    except ValueError as error:
        raise MidiError(f"{path}: there must be one number per line ({error})") from None
    if len(weights) != pieces or not (np.isfinite(weights) & (weights > 0)).all():
        raise MidiError(
            f"{path}: there must be one number above 0 for each of {pieces} pieces; prepare the corpus again"
        )
    return weights
