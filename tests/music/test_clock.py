from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.music.clock import Clock, to_grid
from radio.types import GRID, SAMPLE_RATE, TICKS_PER_BEAT

TEMPOS = st.floats(50, 110, allow_nan=False)


@given(TEMPOS, st.integers(0, 10**10))
def test_any_tick_is_at_most_half_a_sample_off(tempo: float, tick: int) -> None:
    exact = Fraction(tick * 60 * SAMPLE_RATE * 1000, round(tempo * 1000) * TICKS_PER_BEAT)
    assert abs(Clock(tempo).frame(tick) - exact) <= Fraction(1, 2)


@given(st.lists(st.tuples(st.integers(1, 5000), TEMPOS), max_size=20), st.integers(0, 5000))
def test_frames_increase_through_tempo_changes(changes: list[tuple[int, float]], after: int) -> None:
    clock = Clock(80)
    tick = 0
    frames = [clock.frame(0)]
    for gap, tempo in changes:
        tick += gap
        before = clock.frame(tick)
        clock.set_tempo(tick, tempo)
        assert clock.frame(tick) == before, "a tempo change must not move its own tick"
        frames.append(before)
    frames.append(clock.frame(tick + after + 1))
    assert frames == sorted(set(frames))


def test_forgetting_past_segments_does_not_change_later_frames() -> None:
    whole, short = Clock(80), Clock(80)
    for bar in range(1, 200):
        for clock in (whole, short):
            clock.set_tempo(bar * 480, 70 + bar % 20)
        short.forget(bar * 480 - 480)
    assert [whole.frame(tick) for tick in range(95_040, 100_000, 7)] == [
        short.frame(tick) for tick in range(95_040, 100_000, 7)
    ]
    assert len(short._segments) <= 3


def test_two_beats_at_sixty_last_two_seconds() -> None:
    assert Clock(60).frame(240) == 2 * SAMPLE_RATE


def test_a_tempo_change_in_the_past_is_rejected() -> None:
    clock = Clock(80)
    clock.set_tempo(480, 90)
    with pytest.raises(ValueError, match="the latest change is at tick 480"):
        clock.set_tempo(0, 70)


@given(st.integers(0, 10**12))
def test_to_grid_moves_a_frame_by_at_most_half_a_step(frame: int) -> None:
    assert to_grid(frame) % GRID == 0
    assert abs(to_grid(frame) - frame) <= GRID // 2
