"""How long things take: processor seconds, since others may be at work on the machine, and in turn where compared."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from radio.types import Seconds

Work: TypeAlias = Callable[[], float]
"""Does something, and returns how much: seconds of audio, tokens."""

ROUNDS = 5


def rate(work: Work) -> float:
    """What `work` does in a second of this process's time: the median of some rounds, so that one hiccup is nothing."""
    return in_turn(timed(work))[0]


def in_turn(*rates: Callable[[], float], rounds: int = ROUNDS) -> list[float]:
    """Medians of several measurements, each made once a round, so that what the machine does meanwhile meets all."""
    table = [[measure() for measure in rates] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*table, strict=True)]


def timed(work: Work) -> Callable[[], float]:
    """A measurement for `in_turn`: what `work` does in a second of this process's time."""

    def measure() -> float:
        began = time.process_time()
        done = work()
        return done / (time.process_time() - began)

    return measure


def processor_seconds(command: Sequence[str | os.PathLike[str]]) -> Seconds:
    """Run a program to its end on one core; the processor time that it and its children took.

    Raises:
        RuntimeError: it failed; the message is what it said.
    """
    core = str(max(os.sched_getaffinity(0)))
    with subprocess.Popen(
        ["taskset", "-c", core, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    ) as program:
        assert program.stderr is not None  # noqa: S101  # a pipe was asked for
        said = program.stderr.read()
        _, status, usage = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        raise RuntimeError(f"{command[0]}: {said.decode(errors='replace')[-500:]}")
    return usage.ru_utime + usage.ru_stime
