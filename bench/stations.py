"""Many stations on this machine: `radio serve` with a listener of Opus on each, and what becomes late meanwhile.

`python -m bench.stations --count 10 --minutes 30` alone is the long run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.measurement import BenchmarkSetup, Measurement
from bench.process import resident
from radio.settings.config import default_path, load
from radio.types import Seconds

_COUNT = 10
_TICK = os.sysconf("SC_CLK_TCK")
_WARM: Seconds = 20.0
"""Until the reserves are full and the listeners have had their bursts."""


@dataclass(frozen=True)
class Outcome:
    """What a run of `seconds` showed."""

    stations: int
    seconds: Seconds
    processor: Seconds
    """Processor time of the front and all workers."""
    memory: float
    """MiB resident of a worker, the largest."""
    underruns: int
    heard: float
    """Bytes of Opus a second that the worst served listener got."""


def measure(setup: BenchmarkSetup) -> Iterator[Measurement]:
    """Ten stations for three minutes."""
    outcome = run(setup.config, _COUNT, 180 * setup.effort)
    yield from figures(outcome)


def figures(outcome: Outcome) -> Iterator[Measurement]:
    """The lines of the scoreboard."""
    cores = len(os.sched_getaffinity(0))
    share = outcome.processor / outcome.seconds / outcome.stations
    what = f"{outcome.stations} stations with Opus, {outcome.seconds / 60:.0f} minutes"
    yield Measurement(f"underruns: {what}, {cores} cores", outcome.underruns, "", 0, at_most=True)
    yield Measurement(
        f"stations in real time that two cores could carry ({what})",
        2 / share,
        "",
        10,
        absolute=f"{100 * share:.2f} % of a core each, front and listeners included",
    )
    yield Measurement("memory of a worker on the air, soundfont included", outcome.memory, "MiB")


def run(config: Path, count: int, seconds: Seconds) -> Outcome:
    """Put `count` stations on the air, those of `config` over and over with other seeds, and listen to all."""
    with tempfile.TemporaryDirectory() as folder, _on_air(_many(config, count, Path(folder)), Path(folder)) as front:
        base = front.base
        names = [each["name"] for each in _json(f"{base}/api/stations")["stations"]]
        listeners = [_Listener(f"{base}/{name}.opus") for name in names]
        time.sleep(_WARM)
        before, heard, late = front.processor(), [each.bytes for each in listeners], _underruns(base, names)
        began = time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - began
        return Outcome(
            count,
            took,
            front.processor() - before,
            max(resident(pid) for pid in front.workers()),
            _underruns(base, names) - late,
            min(each.bytes - then for each, then in zip(listeners, heard, strict=True)) / took,
        )


def _many(config: Path, count: int, folder: Path) -> Path:
    """A config of `count` stations."""
    given: dict[str, Any] = yaml.safe_load(config.read_text(encoding="utf-8"))
    kinds = list(given["stations"].items())
    stations = {}
    for number in range(count):
        name, station = kinds[number % len(kinds)]
        stations[f"{name}-{number}"] = {**station, "seed": 1_000 + number}
    path = folder / "stations.yaml"
    path.write_text(yaml.safe_dump({"stations": stations}), encoding="utf-8")
    return path


class _Front:
    """A running `radio serve`."""

    def __init__(self, pid: int, base: str) -> None:
        self.pid = pid
        self.base = base

    def workers(self) -> list[int]:
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return [int(pid) for task in tasks for pid in (task / "children").read_text(encoding="ascii").split()]

    def processor(self) -> Seconds:
        """Processor time so far of the front and its workers."""
        return sum(map(_processor, [self.pid, *self.workers()]))


def _processor(pid: int) -> Seconds:
    # The second field, the program's name, may hold anything; user and system time are the 14th and 15th.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


@contextmanager
def _on_air(config: Path, folder: Path) -> Iterator[_Front]:
    command = [sys.executable, "-m", "radio", "serve", "--config", str(config), "--port", "0"]
    with (folder / "log").open("w+b") as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as program:
        assert program.stdout is not None  # noqa: S101  # a pipe was asked for
        said = ""
        while not (address := re.search(r"http://127\.0\.0\.1:\d+", said)) or "Ctrl-C" not in said:
            line = program.stdout.readline()
            if not line:
                log.seek(0)
                raise RuntimeError(f"`radio serve` ended: {said}{log.read().decode()[-2_000:]}")
            said += line.decode()
        try:
            yield _Front(program.pid, address[0])
        finally:
            program.terminate()
            program.communicate()


class _Listener:
    """Reads a stream and counts."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.bytes = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        # The radio ends before its listeners do.
        with contextlib.suppress(ConnectionError), urllib.request.urlopen(self._address) as stream:  # noqa: S310  # ours
            while data := stream.read1(65_536):
                self.bytes += len(data)


def _underruns(base: str, names: list[str]) -> int:
    return sum(_json(f"{base}/api/stations/{name}")["health"]["underruns"] for name in names)


def _json(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310  # ours
        return json.load(answer)


def main() -> None:
    """The long run."""
    parser = argparse.ArgumentParser(prog="python -m bench.stations", description=__doc__)
    parser.add_argument("--count", type=int, default=_COUNT, help=f"stations [{_COUNT}]")
    parser.add_argument("--minutes", type=float, default=30.0, help="how long [30]")
    given = parser.parse_args()
    config = default_path()
    load(config)
    outcome = run(config, given.count, given.minutes * 60)
    for figure in figures(outcome):
        print(f"{figure.what}: {figure.shown} {figure.absolute}")
    print(f"worst served listener: {outcome.heard:,.0f} bytes a second")


if __name__ == "__main__":
    main()
