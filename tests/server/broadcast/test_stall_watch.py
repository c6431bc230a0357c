from __future__ import annotations

from collections.abc import Callable
from functools import partial

from radio.server.broadcast.stall_watch import BUSY_LIMIT, LOW_RESERVE, STALL_LIMIT, StallWatch

TICK = 0.08


def silence_until_over(processor_time: Callable[[float], int | None], *, reserve: float = 0.0) -> float:
    """Return the seconds of silence after which a worker that owes audio counts as stopped; 60 means never."""
    seconds = 0.0
    watch = StallWatch(lambda: seconds)
    while seconds < 60:
        if watch.is_over(owes=True, reserve=reserve, processor_time=partial(processor_time, seconds)):
            return seconds
        seconds += TICK
    return seconds


def test_a_worker_that_does_not_run_soon_counts_as_stopped() -> None:
    assert STALL_LIMIT < silence_until_over(lambda _: 5) < STALL_LIMIT + 0.3
    assert STALL_LIMIT < silence_until_over(lambda _: None) < STALL_LIMIT + 0.3


def test_a_worker_that_is_slow_on_a_busy_machine_gets_more_time() -> None:
    assert BUSY_LIMIT < silence_until_over(lambda seconds: int(1e6 * seconds)) < BUSY_LIMIT + 0.3
    # It runs only once a second.
    assert BUSY_LIMIT < silence_until_over(int) < BUSY_LIMIT + 0.3


def test_a_slow_worker_with_a_reserve_is_tolerated_but_a_stopped_one_is_not() -> None:
    assert silence_until_over(int, reserve=LOW_RESERVE) > 50
    assert STALL_LIMIT < silence_until_over(lambda _: 5, reserve=20.0) < STALL_LIMIT + 0.3


def test_the_watch_starts_over_when_the_worker_owes_nothing() -> None:
    seconds = 0.0
    watch = StallWatch(lambda: seconds)
    for tick in range(1_000):
        seconds += TICK
        owes = tick % 15 != 0
        assert not watch.is_over(owes=owes, reserve=0.0, processor_time=lambda: 5)
