"""Many stations on this machine: `radio serve` with an Opus listener on each, and its underruns.

`python -m bench.stations --count 10 --minutes 30` is the long run.
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
from bench.process import processor_time, resident
from radio.settings.config import default_path, load
from radio.types import Seconds

_COUNT = 10
_WARM: Seconds = 20.0
"""The time until buffers are full and the listeners have their bursts."""


@dataclass(frozen=True)
class Outcome:
    """The results of a run of `seconds`."""

    stations: int
    seconds: Seconds
    processor: Seconds
    """Processor time of the server and all workers."""
    memory: float
    """Resident MiB of the largest worker."""
    underruns: int
    lowest_rate: float
    """Opus bytes per second of the listener that received the least."""


def measure(setup: BenchmarkSetup) -> Iterator[Measurement]:
    """Measure ten stations for three minutes."""
    outcome = run(setup.config, _COUNT, 180 * setup.effort)
    yield from figures(outcome)


def figures(outcome: Outcome) -> Iterator[Measurement]:
    """Yield the measurements of a run."""
    cores = len(os.sched_getaffinity(0))
    share = outcome.processor / outcome.seconds / outcome.stations
    run_name = f"{outcome.stations} stations with Opus, {outcome.seconds / 60:.0f} minutes"
    yield Measurement(f"underruns: {run_name}, {cores} cores", outcome.underruns, "", 0, at_most=True)
    yield Measurement(
        f"stations in real time on two cores ({run_name})",
        2 / share,
        "",
        10,
        absolute=f"{100 * share:.2f} % of a core each, server and listeners included",
    )
    yield Measurement("memory of a worker on the air, soundfont included", outcome.memory, "MiB")


def run(config: Path, count: int, seconds: Seconds) -> Outcome:
    """Serve `count` stations, those of `config` repeated with other seeds, and listen to all of them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _on_air(_write_config(config, count, Path(folder)), Path(folder)) as front,
    ):
        base = front.base
        names = [station["name"] for station in _json(f"{base}/api/stations")["stations"]]
        listeners = [_Listener(f"{base}/{name}.opus") for name in names]
        time.sleep(_WARM)
        before, received, late = front.processor(), [listener.bytes for listener in listeners], _underruns(base, names)
        began = time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - began
        return Outcome(
            count,
            took,
            front.processor() - before,
            max(resident(pid) for pid in front.workers()),
            _underruns(base, names) - late,
            min(listener.bytes - then for listener, then in zip(listeners, received, strict=True)) / took,
        )


def _write_config(config: Path, count: int, folder: Path) -> Path:
    """Write a config of `count` stations, and return its path."""
    original: dict[str, Any] = yaml.safe_load(config.read_text(encoding="utf-8"))
    kinds = list(original["stations"].items())
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
        """Return the process ids of the workers."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return [int(pid) for task in tasks for pid in (task / "children").read_text(encoding="ascii").split()]

    def processor(self) -> Seconds:
        """Return the processor time of the server and its workers so far."""
        return sum(map(processor_time, [self.pid, *self.workers()]))


@contextmanager
def _on_air(config: Path, folder: Path) -> Iterator[_Front]:
    command = [sys.executable, "-m", "radio", "serve", "--config", str(config), "--port", "0"]
    with (folder / "log").open("w+b") as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as program:
        assert program.stdout is not None  # noqa: S101  # stdout is a pipe
        output = ""
        while not (address := re.search(r"http://127\.0\.0\.1:\d+", output)) or "Ctrl-C" not in output:
            line = program.stdout.readline()
            if not line:
                log.seek(0)
                raise RuntimeError(f"`radio serve` ended: {output}{log.read().decode()[-2_000:]}")
            output += line.decode()
        try:
            yield _Front(program.pid, address[0])
        finally:
            program.terminate()
            program.communicate()


class _Listener:
    """A listener that reads a stream and counts its bytes."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.bytes = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        # The radio exits before its listeners.
        with contextlib.suppress(ConnectionError), urllib.request.urlopen(self._address) as stream:  # noqa: S310  # ours
            while data := stream.read1(65_536):
                self.bytes += len(data)


def _underruns(base: str, names: list[str]) -> int:
    return sum(_json(f"{base}/api/stations/{name}")["health"]["underruns"] for name in names)


def _json(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310  # ours
        return json.load(answer)


def main() -> None:
    """Run the long measurement."""
    parser = argparse.ArgumentParser(prog="python -m bench.stations", description=__doc__)
    parser.add_argument("--count", type=int, default=_COUNT, help=f"number of stations [{_COUNT}]")
    parser.add_argument("--minutes", type=float, default=30.0, help="minutes to measure [30]")
    arguments = parser.parse_args()
    config = default_path()
    load(config)
    outcome = run(config, arguments.count, arguments.minutes * 60)
    for figure in figures(outcome):
        print(f"{figure.name}: {figure.shown} {figure.absolute}")
    print(f"slowest listener: {outcome.lowest_rate:,.0f} bytes per second")


if __name__ == "__main__":
    main()
