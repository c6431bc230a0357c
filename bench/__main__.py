"""Measure the speed and memory of the radio, and write the scoreboard to the terminal, bench.json and bench.md."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from subprocess import SubprocessError

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench import machine, scoreboard
from bench.measurement import BenchmarkSetup, Measurement, SectionSkipped
from radio.errors import RadioError
from radio.settings.config import default_path, load

SECTIONS = {
    "engine": "the decode engine against the rwkv package and the memory bandwidth",
    "training": "a training step on the CPU against plain PyTorch",
    "pipeline": "each stage of a station in isolation",
    "peers": "rendering against FluidSynth's own renderer and ffmpeg",
    "process": "the whole command: startup, memory, speed",
    "push": "the video of a push against ffmpeg's filters",
    "stations": "ten stations on the air at once",
    "listeners": "two thousand listeners, on the radio's server and on Icecast",
    "graph": "the torch engine's graph against single launches; skipped without a CUDA device",
    "wkv": "WKV-6's CUDA kernels against PyTorch; skipped without a CUDA device",
}
"""The sections in running order. Each is a module of this package with a function `measure(setup)`."""


def main() -> int:
    """Run the benchmarks. Return 1 if a target is missed or a section cannot be measured, otherwise 0."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog="sections:\n" + "\n".join(f"  {name:10} {summary}" for name, summary in SECTIONS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", choices=[*SECTIONS, []], help="sections to measure [all]"
    )
    parser.add_argument("--station", default="chill", help="station to measure [chill]")
    parser.add_argument(
        "--effort",
        type=float,
        default=1.0,
        help="factor for the length of all measurements; 0.05 for a quick check [1.0]",
    )
    parser.add_argument("--output", type=Path, default=Path("build"), help="folder for bench.json and bench.md [build]")
    arguments = parser.parse_args()
    config = default_path()
    setup = BenchmarkSetup(load(config).station(arguments.station), config, arguments.effort)

    console = Console()
    description = machine.describe()
    for item, text in description.items():
        console.print(f"{item:>11}  {text}", highlight=False)
    board: dict[str, list[Measurement]] = {}
    failed = False
    for section in arguments.sections or SECTIONS:
        measure: Callable[[BenchmarkSetup], Iterator[Measurement]] = import_module(f"bench.{section}").measure
        try:
            with console.status(f"measuring: {section}"):
                board[section] = list(measure(setup))
        except SectionSkipped as reason:
            console.print(f"{section}: skipped, {escape(str(reason))}")
            continue
        except (RadioError, RuntimeError, OSError, SubprocessError) as fault:  # a section must not lose the others
            console.print(f"[red]{section}: {escape(str(fault))}[/]")
            failed = True
            continue
        console.print(_table(section, board[section]))
    arguments.output.mkdir(parents=True, exist_ok=True)
    files = arguments.output / "bench.json", arguments.output / "bench.md"
    files[0].write_text(json.dumps(scoreboard.as_json(description, board), indent=2) + "\n", encoding="utf-8")
    files[1].write_text(scoreboard.as_markdown(description, board), encoding="utf-8")
    console.print(f"written to {files[0]} and {files[1]}")
    return int(failed or any(figure.reached is False for figures in board.values() for figure in figures))


def _table(section: str, figures: list[Measurement]) -> Table:
    table = Table("measurement", "value", "target", "", title=f"{section}: {SECTIONS[section]}", title_justify="left")
    table.columns[1].justify = table.columns[2].justify = "right"
    for figure in figures:
        mark = {None: "", True: "[green]✓[/]", False: "[red]missed[/]"}[figure.reached]
        table.add_row(figure.name, figure.shown, figure.target_text, mark)
    return table


if __name__ == "__main__":
    raise SystemExit(main())
