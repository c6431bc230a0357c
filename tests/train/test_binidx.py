from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.errors import MidiError
from train import binidx


@given(st.lists(st.lists(st.integers(0, 2559), min_size=1, max_size=20), max_size=10))
def test_pieces_survive_a_round_trip(tmp_path_factory: pytest.TempPathFactory, pieces: list[list[int]]) -> None:
    prefix = tmp_path_factory.mktemp("binidx") / "train"
    assert binidx.write(prefix, pieces) == sum(map(len, pieces))
    if pieces:
        assert [piece.tolist() for piece in binidx.read(prefix)] == pieces


def test_the_bytes_are_those_of_megatrons_format(tmp_path: Path) -> None:
    """Laid out by hand after Megatron-LM's indexed_dataset.py."""
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
            lambda path: path.write_bytes(path.read_bytes()[:17] + b"\x04" + path.read_bytes()[18:]),
            "dtype 4",
        ),
    ],
)
def test_damage_is_named(tmp_path: Path, name: str, damage, message: str) -> None:
    binidx.write(tmp_path / "train", [[1, 2, 3], [4]])
    damage(tmp_path / name)
    with pytest.raises(MidiError, match=message):
        binidx.read(tmp_path / "train")
