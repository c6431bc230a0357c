from __future__ import annotations

import pytest

from radio.types import TICKS_PER_BEAT
from train.data.arrange.balance import MEMORY, TARGET_SHARES, Balance

TOTAL = sum(TARGET_SHARES.values())


def test_intervals_in_lofi_proportions_leave_no_debt() -> None:
    balance = Balance()
    for interval, share in TARGET_SHARES.items():
        balance.add(48, (48 + interval,), round(share * 10_000 * TICKS_PER_BEAT / 1_000))
    assert all(balance.owed(interval) == pytest.approx(0, abs=0.05) for interval in TARGET_SHARES)


def test_a_sounding_interval_lowers_its_own_weight_in_any_octave() -> None:
    balance = Balance()
    balance.add(48, (55, 67), TICKS_PER_BEAT)
    assert balance.owed(7) == pytest.approx(2 * TARGET_SHARES[7] / TOTAL - 2)
    assert balance.owed(3) == pytest.approx(2 * TARGET_SHARES[3] / TOTAL)
    assert balance.weight(3) > TARGET_SHARES[3]
    assert balance.weight(7) < TARGET_SHARES[7]


def test_octaves_have_no_debt() -> None:
    balance = Balance()
    balance.add(48, (48, 60, 72), 100 * TICKS_PER_BEAT)
    assert [balance.owed(interval) for interval in range(12)] == [0] * 12


def test_debts_are_bounded() -> None:
    balance = Balance()
    balance.add(48, (55,), 10_000 * TICKS_PER_BEAT)
    assert balance.owed(7) == -MEMORY
    assert balance.owed(3) == MEMORY


def test_drawing_by_weight_gives_lofi_proportions() -> None:
    """The chords allow any interval, and the one with the largest weight is drawn."""
    balance, beats = Balance(), dict.fromkeys(TARGET_SHARES, 0)
    for _ in range(1_000):
        interval = max(TARGET_SHARES, key=balance.weight)
        balance.add(48, (48 + interval,), TICKS_PER_BEAT)
        beats[interval] += 1
    for interval, share in TARGET_SHARES.items():
        assert beats[interval] == pytest.approx(1_000 * share / TOTAL, abs=2 * MEMORY)
