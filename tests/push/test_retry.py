from __future__ import annotations

from radio.push.retry import MAX_WAIT, MIN_WAIT, STABLE_AFTER, STALL_TIMEOUT, BackOff, StallDetector


def test_waits_double_up_to_a_minute() -> None:
    back_off = BackOff(lambda: 0.0)
    assert [back_off.next_wait(0) for _ in range(10)] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_jitter_shortens_waits_by_up_to_a_fifth() -> None:
    least, most = BackOff(lambda: 0.999), BackOff(lambda: 0.0)
    for _ in range(12):
        short, long = least.next_wait(0), most.next_wait(0)
        assert 0.8 * long < short < 0.81 * long < long <= MAX_WAIT


def test_waits_reset_only_after_a_stable_connection() -> None:
    back_off = BackOff(lambda: 0.0)
    for _ in range(8):
        back_off.next_wait(STABLE_AFTER / 2)
    assert back_off.next_wait(STABLE_AFTER / 2) == MAX_WAIT
    assert back_off.next_wait(STABLE_AFTER) == MIN_WAIT
    assert back_off.next_wait(0) == 2 * MIN_WAIT


def test_input_without_acknowledgement_is_a_stall() -> None:
    stall = StallDetector()
    assert not stall.is_stalled(1_000)  # without input there is no stall
    stall.on_input(1_000)
    assert not stall.is_stalled(1_000 + STALL_TIMEOUT)
    assert stall.is_stalled(1_000 + STALL_TIMEOUT + 0.1)
    stall.on_acknowledged(1)
    assert not stall.is_stalled(2_000)


def test_a_repeated_total_does_not_count_as_progress() -> None:
    stall = StallDetector()
    stall.on_input(0)
    stall.on_acknowledged(100)
    stall.on_input(1)
    stall.on_input(9)  # more input does not extend the timeout
    stall.on_acknowledged(100)
    assert stall.is_stalled(1 + STALL_TIMEOUT + 0.1)
