from __future__ import annotations

import random

import pytest

from radio.stream.relay.live_edge import LiveEdge
from radio.types import BURST_LIMIT, SAMPLE_RATE
from tests.stream.audience import Clock


@pytest.fixture
def wall() -> Clock:
    return Clock(500.0)


@pytest.fixture
def edge(wall: Clock) -> LiveEdge:
    return LiveEdge(wall)


def play(edge: LiveEdge, wall: Clock, seconds: float, *, ahead: float = 3.0, step: float = 0.04) -> None:
    end = wall.seconds + seconds
    while wall.seconds < end - 1e-9:
        while edge.reserve < ahead:
            edge.extend(edge.end + 3_840)
        wall.seconds += step
        edge.advance()


def test_the_edge_does_not_move_before_the_first_audio(edge: LiveEdge, wall: Clock) -> None:
    wall.seconds += 100
    assert edge.advance() == 0
    assert not edge.started
    edge.extend(3_840)
    assert edge.started
    assert edge.advance() == 0


def test_the_edge_follows_the_wall_clock_for_any_reserve(edge: LiveEdge, wall: Clock) -> None:
    play(edge, wall, 0.04)
    start, rng = wall.seconds - 0.04, random.Random(3)
    for _ in range(1_000):
        play(edge, wall, 0.5, ahead=rng.uniform(1, 5))
        assert edge.live / SAMPLE_RATE == pytest.approx(wall.seconds - start, abs=1e-3)
    assert (edge.underruns, edge.total_delay) == (0, 0.0)


def test_a_stall_shorter_than_the_reserve_has_no_effect(edge: LiveEdge, wall: Clock) -> None:
    play(edge, wall, 10)
    start = edge.live
    wall.seconds += 2.9
    edge.advance()
    play(edge, wall, 10)
    assert (edge.live - start) / SAMPLE_RATE == pytest.approx(12.9, abs=0.05)
    assert edge.underruns == 0


def test_a_longer_stall_delays_the_edge_once_and_the_edge_catches_up(edge: LiveEdge, wall: Clock) -> None:
    play(edge, wall, 10)
    for _ in range(100):
        wall.seconds += 0.08
        edge.advance()
    assert edge.reserve == 0
    start = edge.live
    assert edge.dead_air == pytest.approx(8 - 3, abs=0.1)
    play(edge, wall, 20.1)
    assert (edge.live - start) / SAMPLE_RATE == pytest.approx(20 + 8 - 3, abs=0.2)
    start = edge.live
    play(edge, wall, 20)
    assert (edge.live - start) / SAMPLE_RATE == pytest.approx(20, abs=0.1)
    assert edge.underruns == 1
    assert edge.total_delay == pytest.approx(8 - 3, abs=0.1)


def test_after_a_long_pause_the_edge_catches_up_by_at_most_one_burst(edge: LiveEdge, wall: Clock) -> None:
    play(edge, wall, 10)
    wall.seconds += 3_600
    edge.advance()
    start = edge.live
    play(edge, wall, 300)
    assert (edge.live - start) / SAMPLE_RATE == pytest.approx(300 + BURST_LIMIT, abs=0.2)
    assert edge.total_delay == pytest.approx(3_600 - 3, abs=0.1)


def test_a_resumed_edge_catches_up_on_the_time_between(edge: LiveEdge, wall: Clock) -> None:
    edge.resume(30 * SAMPLE_RATE, delay=4)
    wall.seconds += 100
    assert edge.advance() == 30 * SAMPLE_RATE
    assert not edge.started
    play(edge, wall, 8)
    assert (edge.live / SAMPLE_RATE - 30) == pytest.approx(8 * 1.25, abs=0.1)
    play(edge, wall, 30)
    assert (edge.live / SAMPLE_RATE - 30) == pytest.approx(38 + 4, abs=0.1)
    assert (edge.underruns, edge.total_delay) == (0, 0.0)


@pytest.mark.parametrize(("seconds", "released"), [(2, 2), (9, 3)])
def test_audio_is_released_early_only_if_it_is_rendered(
    edge: LiveEdge, wall: Clock, seconds: float, released: float
) -> None:
    edge.release_ahead(seconds)
    assert edge.live == 0
    play(edge, wall, 10)
    live, reserve = edge.live, edge.reserve
    edge.release_ahead(seconds)
    assert (edge.live - live) / SAMPLE_RATE == pytest.approx(min(released, reserve), abs=0.05)
    assert edge.live <= edge.end
    live = edge.live
    play(edge, wall, 10)
    assert (edge.live - live) / SAMPLE_RATE == pytest.approx(10, abs=0.1)


def test_the_edge_never_goes_back_when_audio_is_lost(edge: LiveEdge, wall: Clock) -> None:
    play(edge, wall, 10)
    wall.seconds += 3.5
    live = edge.advance()
    edge.rewind(edge.end - 3_000)
    assert edge.advance() == live
    assert edge.reserve == 0
    play(edge, wall, 1)
    assert edge.live > live


def test_extending_to_the_same_end_changes_nothing(edge: LiveEdge, wall: Clock) -> None:
    play(edge, wall, 1)
    wall.seconds += 60
    edge.advance()
    delay = edge.total_delay
    edge.extend(edge.end)
    assert edge.total_delay == delay


def test_a_station_is_off_the_air_after_2_s_of_silence_and_ready_5_s_after_it_resumes(
    edge: LiveEdge, wall: Clock
) -> None:
    assert not edge.on_air
    play(edge, wall, 10)
    assert edge.ready  # a first start is ready without delay
    wall.seconds += 3
    edge.advance()
    wall.seconds += 1.9
    edge.advance()
    assert edge.on_air
    wall.seconds += 0.2
    assert not edge.on_air
    play(edge, wall, 0.1)
    assert edge.on_air
    assert not edge.ready
    play(edge, wall, 5)
    assert edge.ready
