from __future__ import annotations

import numpy as np
import pytest

from radio.audio.leveler import Leveler
from radio.audio.loudness import integrated_loudness
from radio.types import MIX_BLOCK, SAMPLE_RATE, Block

BAR = 2 * SAMPLE_RATE // MIX_BLOCK
"""Blocks in a bar."""


def sound(db: float, blocks: int) -> Block:
    noise = np.random.default_rng(4).standard_normal((blocks * MIX_BLOCK, 2)) * 10 ** (db / 20)
    return noise.astype(np.float32)


def play(leveler: Leveler, x: Block) -> tuple[Block, list[float]]:
    """Play bars through a leveler, and return its output and the gain in dB at the end of each bar."""
    out, gains = [], []
    for start in range(0, len(x), BAR * MIX_BLOCK):
        before, after = leveler.next_bar()
        gains.append(after)
        for block in range(BAR):
            gain = 10 ** ((before + (after - before) * (block + 1) / BAR) / 20)
            at = start + block * MIX_BLOCK
            out.append((x[at : at + MIX_BLOCK] * gain).astype(np.float32))
            leveler.add(out[-1], gain)
    return np.concatenate(out), gains


@pytest.mark.parametrize("db", [-30.0, -22.0, -14.0])
def test_music_of_any_level_comes_near_the_target(db: float) -> None:
    out, gains = play(Leveler(-16), sound(db, 45 * BAR))
    assert integrated_loudness(out[-10 * BAR * MIX_BLOCK :]) == pytest.approx(-16.25, abs=1.0)
    assert max(abs(np.diff([0.0, *gains]))) <= 1.0 + 1e-9


def test_the_gain_stays_within_its_range() -> None:
    _, gains = play(Leveler(-16), sound(-50, 30 * BAR))
    assert max(gains) <= 12.0


def test_a_loud_passage_of_four_bars_keeps_its_contrast() -> None:
    leveler = Leveler(-16)
    _, before = play(leveler, sound(-21, 40 * BAR))
    _, after = play(leveler, sound(-15, 4 * BAR))
    assert abs(after[-1] - before[-1]) < 1.0


def test_silence_and_a_target_of_zero_leave_the_gain_alone() -> None:
    assert play(Leveler(-16), np.zeros((5 * BAR * MIX_BLOCK, 2), np.float32))[1] == [0.0] * 5
    assert play(Leveler(0), sound(-30, 5 * BAR))[1] == [0.0] * 5


def test_the_measurement_does_not_depend_on_the_gain() -> None:
    one, other = Leveler(-16), Leveler(-16)
    x = sound(-25, 10 * BAR)
    for at in range(0, len(x), MIX_BLOCK):
        one.add(x[at : at + MIX_BLOCK], 1.0)
        other.add(x[at : at + MIX_BLOCK] * np.float32(0.5), 0.5)
    assert [one.next_bar() for _ in range(8)] == [other.next_bar() for _ in range(8)]
