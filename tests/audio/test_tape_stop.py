from __future__ import annotations

from copy import deepcopy

import numpy as np
from scipy import signal

from radio.audio.tape_stop import TapeStop
from radio.types import MIX_BLOCK, SAMPLE_RATE

BLOCKS = 20
STOP = [1.0] * 10 + [1 - (block + 1) / BLOCKS for block in range(BLOCKS)] + [0.0] * 10 + [1.0] * 10
"""The speed at the end of each block: a stop within 0.8 s, a standstill, and a start."""


def tone(hertz: float = 1_000.0) -> np.ndarray:
    wave = 0.3 * np.sin(2 * np.pi * hertz * np.arange(len(STOP) * MIX_BLOCK) / SAMPLE_RATE)
    return wave[None].repeat(2, axis=0).astype(np.float32)


def played(stop: TapeStop, x: np.ndarray, speeds: list[float] = STOP) -> np.ndarray:
    blocks = [stop.process(x[:, at * MIX_BLOCK : (at + 1) * MIX_BLOCK], speed) for at, speed in enumerate(speeds)]
    return np.concatenate(blocks, axis=1)


def test_a_running_tape_changes_nothing() -> None:
    x = tone()
    assert np.array_equal(played(TapeStop(), x, [1.0] * 10), x[:, : 10 * MIX_BLOCK])


def test_the_pitch_falls_linearly_with_the_speed() -> None:
    out = played(TapeStop(), tone())[0, 10 * MIX_BLOCK : 30 * MIX_BLOCK].astype(np.float64)
    phase = np.unwrap(np.angle(signal.hilbert(out)))
    hertz = np.diff(phase[::480]) * SAMPLE_RATE / 480 / (2 * np.pi)
    share = (np.arange(len(hertz)) + 0.5) * 480 / len(out)
    middle = slice(4, int(0.8 * len(hertz)))
    assert np.allclose(hertz[middle], 1_000 * (1 - share[middle]), atol=25)


def test_a_stopped_tape_is_silent_and_restarts_with_the_current_sound() -> None:
    x = tone()
    out = played(TapeStop(), x)
    assert not out[:, 30 * MIX_BLOCK : 40 * MIX_BLOCK].any()
    assert np.array_equal(out[:, 41 * MIX_BLOCK :], x[:, 41 * MIX_BLOCK :])


def test_a_stop_and_a_start_do_not_click() -> None:
    bend = np.abs(np.diff(played(TapeStop(), tone(200)).astype(np.float64), 2)).max()
    assert bend < 1.3 * 0.3 * (2 * np.pi * 200 / SAMPLE_RATE) ** 2


def test_a_restart_before_the_standstill_does_not_click() -> None:
    speeds = [*STOP[:25], *[1.0] * 25]
    bend = np.abs(np.diff(played(TapeStop(), tone(200), speeds).astype(np.float64), 2)).max()
    assert bend < 2 * 0.3 * (2 * np.pi * 200 / SAMPLE_RATE) ** 2


def test_a_tape_that_slows_by_a_hair_stays_close_to_its_input() -> None:
    x = tone(200)
    out = played(TapeStop(), x, [1 - 1e-4, 1 - 2e-4, 1 - 3e-4])
    lag = 3 * MIX_BLOCK * 1.5e-4
    assert np.abs(out - x[:, : 3 * MIX_BLOCK]).max() < 1.1 * lag * 0.3 * 2 * np.pi * 200 / SAMPLE_RATE


def test_memory_is_limited_to_the_slowed_sound() -> None:
    stop = TapeStop()
    played(stop, tone(), STOP[:35])
    assert stop._recorded.shape[1] < BLOCKS * MIX_BLOCK


def test_a_deep_copy_continues_identically() -> None:
    stop, x = TapeStop(), tone()
    played(stop, x, STOP[:20])
    copy = deepcopy(stop)
    assert np.array_equal(played(stop, x, STOP[20:]), played(copy, x, STOP[20:]))
