"""Play a long broadcast at many times real time, and measure memory, descriptors, underruns and drift.

The whole chain runs: server, workers, encoders, and listeners over HTTP. Only the clock runs faster, as fast as the
stations can keep some seconds of reserve. Writes a table to the terminal and, with --output, between the markers of a
Markdown file.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from rich.console import Console
from rich.progress import Progress

from bench.chaos.listener import Listener
from bench.document import replace_table
from bench.soak.clock import SharedClock

STATIONS: Final = {"chill": {"title": "Chill", "seed": 7}, "rain": {"title": "Rain", "seed": 8}}
PATHS: Final = ("/chill.opus?burst=2", "/chill.opus?burst=22", "/chill.mp3?burst=22", "/rain.aac?burst=22")
WARM_UP: Final = 0.2
"""Share of the broadcast that is not measured, while processes grow to their final size."""


@contextlib.contextmanager
def radio(speed: float, stations: Mapping[str, object]) -> Iterator[tuple[subprocess.Popen[str], SharedClock]]:
    """Start the radio with these stations; yield its process and its clock."""
    with tempfile.TemporaryDirectory() as folder:
        config, clock = Path(folder) / "stations.yaml", Path(folder) / "clock"
        shared = SharedClock(clock, speed)
        config.write_text(yaml.safe_dump({"stations": dict(stations)}))
        command = [sys.executable, "-m", "bench.soak.server", str(config), str(speed), str(clock)]
        # In its own session, so that Ctrl+C ends the measurement and not the radio.
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
            try:
                yield process, shared
            finally:
                process.terminate()


def _station(path: str) -> str:
    """Return the name of the station in a stream's path."""
    return path.strip("/").partition(".")[0]


def slope(samples: list[dict[str, Any]], figure: str, process: str) -> float:
    """Return the growth of a process's figure per hour of broadcast."""
    hours = np.array([sample["at"] for sample in samples]) / 3_600
    return float(np.polyfit(hours - hours[0], [sample[figure][process] for sample in samples], 1)[0])


def drift(samples: list[dict[str, Any]], station: str) -> float:
    """Return the drift of the live edge against the clock since the first sample, in milliseconds."""
    first, last = (float(sample["live"][station] - sample["at"]) for sample in (samples[0], samples[-1]))
    return 1_000 * (last - first)


def table(samples: list[dict[str, Any]], listeners: list[Listener]) -> str:
    """Return the figures as Markdown."""
    steady = samples[round(WARM_UP * len(samples)) :]
    lines = [
        "| process | memory | growth per hour | descriptors | underruns | drift |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for process in steady[-1]["memory"]:
        first, last = steady[0], steady[-1]
        cells = [
            process,
            f"{last['memory'][process]:.0f} MB",
            f"{slope(steady, 'memory', process):+.2f} MB",
            f"{first['descriptors'][process]} → {last['descriptors'][process]}",
        ]
        station = process in last["underruns"]
        cells += [f"{last['underruns'][process]}", f"{drift(steady, process):+.0f} ms"] if station else ["", ""]
        lines.append(f"| {' | '.join(cells)} |")
    silence = ", ".join(_silence(item, samples[0]["at"]) for item in listeners)
    return "\n".join(lines) + f"\n\nSilence that listeners heard: {silence}.\n"


def _silence(listener: Listener, began: float) -> str:
    """Return the silence of a listener, and the longest one with the hour of the broadcast in which it ended."""
    seconds, at = listener.longest
    longest = f" (the longest {seconds:.1f} s, after {(at - began) / 3_600:.2f} h)" if seconds else ""
    return f"`{listener.path}` {listener.heard_silence():.1f} s{longest}"


def main() -> None:
    """Run the measurement of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0, help="length of the broadcast [24]")
    parser.add_argument("--speed", type=float, default=30.0, help="maximum hours of broadcast per hour [30]")
    parser.add_argument(
        "--listeners", nargs="+", default=[*PATHS], help="paths of their streams; only these stations play"
    )
    parser.add_argument("--output", type=Path, help="Markdown file whose table is replaced")
    arguments = parser.parse_args()
    console, samples = Console(), list[dict[str, Any]]()
    began, hours = time.monotonic(), 0.0
    paths: list[str] = arguments.listeners
    stations = {name: STATIONS[name] for name in map(_station, paths)}
    with radio(arguments.speed, stations) as (process, clock), Progress(console=console) as progress:
        assert process.stdout is not None  # noqa: S101  # stdout is a pipe
        listeners = []
        task = progress.add_task(f"{arguments.hours:g} h of broadcast", total=arguments.hours)
        with contextlib.suppress(KeyboardInterrupt):
            if port := process.stdout.readline():  # nothing if the radio cannot start
                listeners = [Listener(int(port), path, now=clock.now) for path in paths]
            for listener in listeners:
                listener.start()
            for line in process.stdout:
                samples.append(json.loads(line))
                hours = (samples[-1]["at"] - samples[0]["at"]) / 3_600
                progress.update(task, completed=hours)
                if len(samples) == 10:  # the bursts have arrived
                    for listener in listeners:
                        listener.reset()
                if hours >= arguments.hours:
                    break
        minutes = (time.monotonic() - began) / 60
        figures = table(samples, listeners) if samples else ""
        for listener in listeners:
            listener.stop()
        if not samples:
            raise SystemExit("python -m bench.soak: the radio ended before the first sample; nothing was measured")
        text = f"{hours:.1f} hours of broadcast took {minutes:.0f} minutes.\n\n{figures}"
    console.print(text, markup=False)
    if arguments.output is not None:
        command = f"python -m bench.soak --hours {arguments.hours:g} --speed {arguments.speed:g}"
        if paths != [*PATHS]:
            command += f" --listeners {' '.join(paths)}"
        replace_table(arguments.output, "soak", command, text)


if __name__ == "__main__":
    main()
