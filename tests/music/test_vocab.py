from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.music import vocab


def test_the_base_ids_are_those_of_midicompact() -> None:
    assert [vocab.NAMES[token] for token in (0, 1, 2, 3, 127)] == ["<pad>", "<start>", "<end>", "t1", "t125"]
    assert vocab.NAMES[128] == "0:0"
    assert vocab.NAMES[128 + 16 * 0x3C + 0xA] == "3c:a"
    assert vocab.NAMES[2175] == "7f:f"
    assert [name for token, name in vocab.NAMES.items() if token < 2176][-1] == "7f:f"
    assert sum(token < 2176 for token in vocab.NAMES) == 2176


def test_control_ids_do_not_change() -> None:
    """Shipped checkpoints depend on these ids."""
    pinned = {
        "<b1>": 2176, "<b4>": 2179, "<r0>": 2192, "<r11>": 2203, "<q:maj>": 2208, "<q:none>": 2220, "<d0>": 2240,
        "<d7>": 2247, "<s:rock>": 2256, "<s:dance>": 2273, "<groove>": 2288, "<fill>": 2289, "<backbeat>": 2290,
        "<mode:major>": 2304, "<mode:minor>": 2305, "<mood:calm>": 2312, "<mood:dreamy>": 2318,
        "<onsets:0>": 2336, "<voices:0>": 2344, "<length:0>": 2352, "<classes:1>": 2360, "<register:0>": 2368,
        "<register:127>": 2495,
    }  # fmt: skip
    assert {name: vocab.IDS[name] for name in pinned} == pinned
    assert max(vocab.NAMES) < vocab.TABLE_SIZE


def test_names_are_unique() -> None:
    assert len(vocab.IDS) == len(vocab.NAMES)


@given(st.integers(1, 125))
def test_waits_survive_a_round_trip(ticks: int) -> None:
    assert vocab.wait_ticks(vocab.wait_token(ticks)) == ticks


@given(st.integers(0, 127), st.integers(0, 15))
def test_notes_survive_a_round_trip(note: int, velocity_bin: int) -> None:
    token = vocab.note_token(note, velocity_bin)
    assert vocab.parse_note_token(token) == (note, velocity_bin)
    assert vocab.NAMES[token] == f"{note:x}:{velocity_bin:x}"
    assert not vocab.is_control(token)


def test_only_velocity_0_maps_to_the_release_bin() -> None:
    bins = [vocab.velocity_to_bin(velocity) for velocity in range(128)]
    assert bins[0] == 0
    assert bins == sorted(bins)
    assert set(bins[1:]) == set(range(1, 16))


@given(st.integers(0, 15))
def test_bin_to_velocity_returns_a_velocity_of_that_bin(velocity_bin: int) -> None:
    assert vocab.velocity_to_bin(vocab.bin_to_velocity(velocity_bin)) == velocity_bin


def test_soft_notes_have_finer_bins() -> None:
    edges = [vocab.bin_to_velocity(velocity_bin) for velocity_bin in range(16)]
    widths = [high - low for low, high in pairwise(edges)]
    assert widths[1:] == sorted(widths[1:])


@pytest.mark.parametrize(
    "make", [lambda: vocab.wait_token(0), lambda: vocab.wait_token(126), lambda: vocab.beat_token(5)]
)
def test_values_without_a_token_are_rejected(make) -> None:
    with pytest.raises(ValueError, match="no token for"):
        make()
