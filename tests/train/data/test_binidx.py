from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.errors import MidiError
from train.data import binidx


@given(st.lists(st.lists(st.integers(0, 2559), min_size=1, max_size=20), max_size=10))
def test_pieces_survive_a_round_trip(tmp_path_factory: pytest.TempPathFactory, pieces: list[list[int]]) -> None:
    prefix = tmp_path_factory.mktemp("binidx") / "train"
    assert binidx.write(prefix, pieces) == sum(map(len, pieces))
    if pieces:
        assert [piece.tolist() for piece in binidx.read(prefix)] == pieces


def test_the_bytes_follow_megatrons_format(tmp_path: Path) -> None:
    """The expected bytes are written by hand from Megatron-LM's indexed_dataset.py."""
    binidx.write(tmp_path / "train", [[1, 2, 3], [4]])
    expected = (
        b"MMIDIDX\x00\x00"
        + np.array([1], "<u8").tobytes()
        + b"\x08"
        + np.array([2, 3], "<u8").tobytes()
        + np.array([3, 1], "<i4").tobytes()
        + np.array([0, 6], "<i8").tobytes()
        + np.array([0, 1, 2], "<i8").tobytes()
    )
    assert (tmp_path / "train.idx").read_bytes() == expected
    assert (tmp_path / "train.bin").read_bytes() == np.array([1, 2, 3, 4], "<u2").tobytes()


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("train.idx", lambda path: path.unlink(), "no such file"),
        ("train.bin", lambda path: path.unlink(), "no such file"),
        ("train.idx", lambda path: path.write_bytes(b"noise"), "not a binidx index"),
        ("train.idx", lambda path: path.write_bytes(path.read_bytes()[:-3]), "truncated"),
        ("train.bin", lambda path: path.write_bytes(path.read_bytes()[:-1]), "truncated"),
        (
            "train.idx",
            lambda path: path.write_bytes(path.read_bytes()[:17] + b"\x07" + path.read_bytes()[18:]),
            "dtype 7",
        ),
    ],
)
def test_a_damaged_file_is_an_error(tmp_path: Path, name: str, damage, message: str) -> None:
    binidx.write(tmp_path / "train", [[1, 2, 3], [4]])
    damage(tmp_path / name)
    with pytest.raises(MidiError, match=message):
        binidx.read(tmp_path / "train")


def foreign(prefix: Path, code: int, dtype: str, sequences: list[list[int]], bounds: list[int]) -> None:
    """Write a file in the layout of GPT-NeoX's builder, with any dtype and documents of several sequences."""
    sizes = [len(sequence) for sequence in sequences]
    width = np.dtype(dtype).itemsize
    prefix.with_suffix(".bin").write_bytes(np.concatenate(sequences).astype(dtype).tobytes())
    prefix.with_suffix(".idx").write_bytes(
        b"MMIDIDX\x00\x00"
        + struct.pack("<QBQQ", 1, code, len(sizes), len(bounds))
        + np.array(sizes, "<i4").tobytes()
        + np.cumsum([0, *(width * size for size in sizes[:-1])]).astype("<i8").tobytes()
        + np.array(bounds, "<i8").tobytes()
    )


@pytest.mark.parametrize(
    ("code", "dtype"), [(1, "u1"), (2, "i1"), (3, "<i2"), (4, "<i4"), (5, "<i8"), (8, "<u2")], ids=str
)
def test_foreign_files_are_read_document_by_document(tmp_path: Path, code: int, dtype: str) -> None:
    foreign(tmp_path / "train", code, dtype, [[1, 2, 3], [4], [5, 127]], [0, 2, 3])
    pieces = binidx.read(tmp_path / "train")
    assert [piece.tolist() for piece in pieces] == [[1, 2, 3, 4], [5, 127]]
    assert {piece.dtype for piece in pieces} == {np.dtype(np.uint16)}


@pytest.mark.parametrize("token", [-1, 70_000])
def test_numbers_out_of_range_are_an_error(tmp_path: Path, token: int) -> None:
    foreign(tmp_path / "train", 4, "<i4", [[1, token]], [0, 1])
    with pytest.raises(MidiError, match=f"tokens from .*{token}.*; they must be in 0 to 65535"):
        binidx.read(tmp_path / "train")
