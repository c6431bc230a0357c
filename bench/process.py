"""The command as a whole: how soon it sounds, how much memory it takes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from bench.stages import Figure
from radio.types import SAMPLE_RATE

_HEADER = 44
_FRAME = 4
_STARTS = 3


def measure(station: str, config: str) -> Iterator[Figure]:
    """Start `radio --station … --output -` and read from it."""
    starts, memory = [], 0.0
    for _ in range(_STARTS):
        command = [sys.executable, "-m", "radio", "--config", config, "--station", station, "--output", "-"]
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
            assert program.stdout is not None  # noqa: S101  # a pipe was asked for
            program.stdout.read(_HEADER + _FRAME)
            starts.append(time.perf_counter() - began)
            for _second in range(20):
                program.stdout.read(SAMPLE_RATE * _FRAME)
            program.stdout.close()
            _, _, usage = os.wait4(program.pid, 0)
            program.returncode = 0
        memory = max(memory, usage.ru_maxrss * 1024 / 2**20)
    yield Figure("from start to the first audio byte", statistics.median(starts), "s")
    yield Figure("memory of a station after 20 s of audio", memory, "MiB")
