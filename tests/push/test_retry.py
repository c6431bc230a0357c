from __future__ import annotations

from radio.push.retry import MAX_WAIT, MIN_WAIT, STABLE_AFTER, STALL_TIMEOUT, BackOff, Progress


def test_waits_double_up_to_a_minute() -> None:
    waits = [BackOff(lambda: 0.0)] * 1
    assert [waits[0].failed(0) for _ in range(10)] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_chance_shortens_a_wait_and_never_lengthens_it() -> None:
    least, most = BackOff(lambda: 0.999), BackOff(lambda: 0.0)
    for _ in range(12):
        short, long = least.failed(0), most.failed(0)
        assert 0.8 * long < short < long <= MAX_WAIT


def test_who_was_well_for_a_while_begins_anew_and_who_flaps_does_not() -> None:
    back_off = BackOff(lambda: 0.0)
    for _ in range(8):
        back_off.failed(STABLE_AFTER / 2)
    assert back_off.failed(STABLE_AFTER / 2) == MAX_WAIT
    assert back_off.failed(STABLE_AFTER) == MIN_WAIT
    assert back_off.failed(0) == 2 * MIN_WAIT


def test_a_stall_is_input_without_output() -> None:
    progress = Progress()
    assert not progress.stalled(1_000)  # nothing to send is no stall, however long
    progress.put_in(1_000)
    assert not progress.stalled(1_000 + STALL_TIMEOUT)
    assert progress.stalled(1_000 + STALL_TIMEOUT + 0.1)
    progress.came_out(1)
    assert not progress.stalled(2_000)


def test_output_that_does_not_grow_is_none() -> None:
    progress = Progress()
    progress.put_in(0)
    progress.came_out(100)
    progress.put_in(1)
    progress.put_in(9)  # more input is no excuse
    progress.came_out(100)
    assert progress.stalled(1 + STALL_TIMEOUT + 0.1)
