"""The whole command: time to the first sound, memory, and speed of rendering."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measurement import BenchmarkSetup, Measurement
from bench.timers import processor_seconds
from radio.types import SAMPLE_RATE, Seconds

_HEADER = 44
_FRAME = 4
_STARTS = 5
_MIB = 1024

_SOUNDFONT = """
import sys
from pathlib import Path
from bench.process import resident

from radio.audio.fluid import library
from radio.audio.synth import Synth
from radio.settings.config import load
from radio.station.factory import open_programs
settings = load(Path(sys.argv[1])).station(sys.argv[2])
library()
before = resident("self")
synth = Synth(settings.soundfont, open_programs(settings))
print(resident("self") - before)
"""
"""A program that prints the memory used by the station's soundfont, excluding the library."""


def measure(setup: BenchmarkSetup) -> Iterator[Measurement]:
    """Start `radio --station … --output -` and read from it, then render a file."""
    station = ["--config", str(setup.config), "--station", setup.station.name]
    starts, memory = [], 0.0
    for _ in range(_STARTS):
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "radio", *station, "--output", "-"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as program:
            assert program.stdout is not None  # noqa: S101  # stdout is a pipe
            program.stdout.read(_HEADER + _FRAME)
            starts.append(time.perf_counter() - began)
            for _second in range(20):
                program.stdout.read(SAMPLE_RATE * _FRAME)
            memory = max(memory, resident(program.pid))
            program.stdout.close()
    yield Measurement(
        "first audio byte after the start of `radio --output -`", statistics.median(starts), "s", 1.5, True
    )
    soundfont = _soundfont(setup)
    yield Measurement(
        "memory of that process after 20 s of audio, without the soundfont",
        memory - soundfont,
        "MiB",
        150,
        at_most=True,
        absolute=f"{memory:.0f} MiB resident, of which {soundfont:.0f} the soundfont",
    )
    yield Measurement("`radio render` to WAV, one core", _render(station, 180 * setup.effort), "× real time", 20)


def resident(pid: int | str) -> float:
    """Return the resident memory of a process in MiB, shared libraries included."""
    words = Path(f"/proc/{pid}/status").read_text(encoding="ascii").split()
    return int(words[words.index("VmRSS:") + 1]) / _MIB


def processor_time(pid: int) -> Seconds:
    """Return the processor time of a process so far, kernel time included."""
    # The second field, the program's name, may contain spaces; user and system time are the 14th and 15th.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _soundfont(setup: BenchmarkSetup) -> float:
    command = [sys.executable, "-c", _SOUNDFONT, str(setup.config), setup.station.name]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def _render(station: list[str], seconds: Seconds) -> float:
    with tempfile.TemporaryDirectory() as folder:
        target = os.fspath(Path(folder) / "song.wav")
        command = [sys.executable, "-m", "radio", "render", *station, "--minutes", f"{seconds / 60:.6f}", target]
        return seconds / processor_seconds(command)
