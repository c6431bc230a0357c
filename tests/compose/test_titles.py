from __future__ import annotations

from radio.compose.titles import COUNT, title_of

SHORTEST_TRACK = 60
"""Seconds."""


def test_no_title_repeats_within_a_day() -> None:
    assert COUNT * SHORTEST_TRACK > 24 * 3600
    for seed in (1, 2**63 - 1):
        assert len({title_of(seed, number) for number in range(COUNT)}) == COUNT
        assert title_of(seed, COUNT) == title_of(seed, 0)


def test_stations_have_their_own_order_of_titles() -> None:
    one, other = ([title_of(seed, number) for number in range(100)] for seed in (1, 2))
    assert one != other
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 3
