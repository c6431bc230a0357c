from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.data.corpus.beat_placement import BeatPlacement, estimate_placement


def sixteenths(late: float, swing: float, spread: float = 3.0, bars: int = 8) -> list[float]:
    random = Random(1)
    within = (0.0, swing / 100 * 60)
    return [
        pair * 60 + place + late + random.gauss(0, spread) for pair in range(8 * bars) for place in within
    ]  # fmt: skip


@pytest.mark.parametrize("late", [-6.0, 0.0, 4.0])
@pytest.mark.parametrize("swing", [50, 57, 62, 66])
def test_offset_and_swing_of_a_drummer_are_estimated(late: float, swing: float) -> None:
    placement = estimate_placement(sixteenths(late, swing))
    assert placement.early == pytest.approx(-late, abs=1)
    assert placement.swing == pytest.approx(swing, abs=1.5)


def test_eighths_and_mixed_rhythms_have_no_swing() -> None:
    assert estimate_placement([eighth * 60.0 for eighth in range(64)]).swing == 50
    assert estimate_placement([]).early == 0
    mixed = [pair * 60.0 + place for pair in range(64) for place in (0, (22, 46)[pair % 2])]
    assert estimate_placement(mixed).swing == 50


@given(*(st.floats(low, high, allow_subnormal=False) for low, high in ((45, 67), (0, 4000), (0, 4000))))
def test_straightening_keeps_order_and_eighths_and_centers_swung_sixteenths(
    swing: float, one: float, other: float
) -> None:
    straight = BeatPlacement(0, swing).straighten
    assert (one <= other) <= (straight(one) <= straight(other) + 1e-6)
    assert straight(240) == 240
    assert straight(240 + swing / 100 * 60) == pytest.approx(270)
    assert BeatPlacement().straighten(one) == pytest.approx(one)
