"""Timers in processor seconds, which other programs on the machine hardly affect, and comparisons in turn."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from radio.types import Seconds

Work: TypeAlias = Callable[[], float]
"""A function that returns the amount of work it did: seconds of audio, or tokens."""

ROUNDS = 5


def rate(work: Work) -> float:
    """Return the work per second of this process's time, as the median of several rounds."""
    return in_turn(timed(work))[0]


def in_turn(*rates: Callable[[], float], rounds: int = ROUNDS) -> list[float]:
    """Return the median of each measurement over rounds that run all of them, so that the load affects all equally."""
    table = [[measure() for measure in rates] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*table, strict=True)]


def timed(work: Work) -> Callable[[], float]:
    """Return a measurement for `in_turn`: the work per second of this process's time."""

    def measure() -> float:
        began = time.process_time()
        done = work()
        return done / (time.process_time() - began)

    return measure


def processor_seconds(command: Sequence[str | os.PathLike[str]]) -> Seconds:
    """Run a program on one core; return the processor time that it and its children used.

    Raises:
        RuntimeError: The program failed; the message is the end of its error output.
    """
    core = str(max(os.sched_getaffinity(0)))
    with subprocess.Popen(
        ["taskset", "-c", core, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    ) as program:
        assert program.stderr is not None  # noqa: S101  # stderr is a pipe
        errors = program.stderr.read()
        _, status, usage = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        raise RuntimeError(f"{command[0]}: {errors.decode(errors='replace')[-500:]}")
    return usage.ru_utime + usage.ru_stime
