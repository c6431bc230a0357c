from __future__ import annotations

import math

import pytest

from radio.station.moves import Moves
from radio.types import MixMove


def test_values_move_evenly_to_the_ear_through_a_bar() -> None:
    moves = Moves()
    moves.add(1_000, 5_000, MixMove(lowpass=(500.0, 2_000.0), gain_db=(0.0, -12.0), drums_band=0.5))
    state = moves.at(3_000)
    assert state.lowpass == pytest.approx(1_000)
    assert state.gain == pytest.approx(10 ** (-6 / 20))
    assert state.drums_band == 0.5


def test_the_tape_slows_down_over_the_last_beat_and_runs_again_from_the_bar_line() -> None:
    moves = Moves()
    moves.add(0, 4_000, MixMove(stop=True))
    moves.add(4_000, 8_000, MixMove())
    speeds = [moves.at(frame).speed for frame in (0, 3_000, 3_500, 3_999, 4_000, 5_000)]
    assert speeds == pytest.approx([1, 1, 0.5, 0.001, 1, 1])


def test_the_level_moves_in_the_second_half_of_a_bar() -> None:
    moves = Moves()
    moves.add(0, 4_000, MixMove(gain_db=(-6.0, -6.0), level_db=(2.0, 4.0)))
    levels = [20 * math.log10(moves.at(frame).gain) for frame in (0, 2_000, 3_000, 4_000)]
    assert levels == pytest.approx([-4, -4, -3, -2])
