from __future__ import annotations

from random import Random

import pytest

from radio.compose.taste import NEUTRAL, Taste

LIKE, DISLIKE = 1, -1


def after(opinions: list[int], *, tempo: float = 0.0, limit: float = 3.0) -> Taste:
    taste = NEUTRAL
    for opinion in opinions:
        taste = taste.with_opinion(("form ABA",), tempo, opinion, limit=limit)
    return taste


def test_an_opinion_changes_a_weight_by_the_root_of_two_and_by_four_at_most() -> None:
    assert after([LIKE]).weight("form ABA") == pytest.approx(2**0.5)
    assert after([LIKE] * 50).weight("form ABA") == 4
    assert after([DISLIKE] * 50).weight("form ABA") == 1 / 4
    assert after([LIKE] * 50 + [DISLIKE] * 4).weight("form ABA") == 1
    assert after([LIKE] * 50).weight("form AB") == 1


def test_tempos_move_a_quarter_of_the_way_and_stay_within_the_limit() -> None:
    assert after([LIKE], tempo=2.0).tempo == 0.5
    assert after([DISLIKE], tempo=2.0).tempo == -0.5
    assert after([LIKE] * 50, tempo=2.0).tempo == pytest.approx(2.0)
    assert after([LIKE] * 50, tempo=9.0).tempo == 3.0
    assert after([DISLIKE] * 50, tempo=9.0).tempo == -3.0


def test_weights_shift_the_choices() -> None:
    random, taste = Random(1), after([LIKE] * 50)
    drawn = [taste.choose(random, "form", ("ABA", "AB"), (0.5, 0.5)) for _ in range(1_000)]
    assert drawn.count("ABA") / 1_000 == pytest.approx(4 / 5, abs=0.05)
