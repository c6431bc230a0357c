from __future__ import annotations

import numpy as np
import pytest

from radio.audio.signal_guard import LIMIT, SignalError, SignalGuard
from radio.types import MIX_BLOCK, Block

BLOCKS = -(-LIMIT // MIX_BLOCK)
"""Blocks in five seconds, rounded up."""


def noise(level_db: float, seed: int = 0) -> Block:
    return (10 ** (level_db / 20) * np.random.default_rng(seed).standard_normal((MIX_BLOCK, 2))).astype(np.float32)


def silence(mean: float = 0.0) -> Block:
    return np.full((MIX_BLOCK, 2), mean, np.float32)


def feed(guard: SignalGuard, blocks: int, make: object, *, struck: bool) -> None:
    for number in range(blocks):
        guard.check(make(number) if callable(make) else make, struck=struck)  # type: ignore[arg-type]


@pytest.mark.parametrize("block", [silence(), silence(0.5), noise(-60)])
def test_five_silent_seconds_after_a_strike_are_a_fault(block: Block) -> None:
    guard = SignalGuard(7)
    feed(guard, 3, block, struck=False)
    guard.check(block, struck=True)
    feed(guard, BLOCKS - 2, block, struck=False)
    with pytest.raises(SignalError, match="silent") as caught:
        feed(guard, 1, block, struck=False)
    assert (caught.value.fault, caught.value.frame) == ("silent", 7 + 3 * MIX_BLOCK)


def test_silence_without_strikes_is_no_fault() -> None:
    feed(SignalGuard(), 4 * BLOCKS, silence(), struck=False)


def test_long_rests_are_no_fault_if_each_strike_sounds() -> None:
    guard = SignalGuard()
    for number in range(4):
        guard.check(silence(), struck=True)
        guard.check(noise(-40, number), struck=False)
        feed(guard, 2 * BLOCKS, silence(), struck=False)


def test_the_same_block_for_five_seconds_is_a_fault() -> None:
    guard = SignalGuard()
    feed(guard, BLOCKS, lambda number: noise(-20, number), struck=True)
    with pytest.raises(SignalError, match="stuck") as caught:
        feed(guard, BLOCKS + 1, noise(-20), struck=True)
    assert caught.value.fault == "stuck"
    assert caught.value.frame == (BLOCKS + 1) * MIX_BLOCK


def test_a_block_repeated_for_less_than_five_seconds_is_no_fault() -> None:
    guard = SignalGuard()
    for number in range(3):
        feed(guard, BLOCKS, noise(-20, number), struck=True)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_single_sample_that_is_not_finite_is_a_fault(value: float) -> None:
    block = noise(-20)
    block[1_000, 1] = value
    guard = SignalGuard()
    guard.check(noise(-20, 1), struck=False)
    with pytest.raises(SignalError, match=f"not finite from frame {MIX_BLOCK} onward"), np.errstate(invalid="ignore"):
        guard.check(block, struck=False)
