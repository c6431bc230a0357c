"""`python -m bench [SECTION …]`: the scoreboard, on the terminal, in build/bench.json and in build/bench.md."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench import machine
from bench import scoreboard as report
from bench.measurement import BenchmarkSetup, Measurement, SectionSkipped
from radio.errors import RadioError
from radio.settings.config import default_path, load

SECTIONS = {
    "engine": "the decode engine against the rwkv package and the memory's bandwidth",
    "training": "a training step on the CPU against plain PyTorch",
    "stages": "each stage of a station alone",
    "peers": "the render path against FluidSynth's own renderer and ffmpeg",
    "process": "the command as a whole: start, memory, speed",
    "push": "the picture of a push against ffmpeg's filters",
    "stations": "ten stations on the air at once",
    "listeners": "two thousand listeners, the front and Icecast in turn",
    "wkv": "WKV-6's CUDA kernels beside PyTorch's forms of it; skipped without a CUDA device",
}
"""Each is a module of this package with a function `measure(setup)`, in the order in which they are run."""


def main() -> int:
    """Measure, print, write; 1 where a target is missed or a section cannot be measured."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog="\n".join(f"{name:10} {what}" for name, what in SECTIONS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", choices=[*SECTIONS, []], help="which [all]")
    parser.add_argument("--station", default="chill", help="the station to measure [chill]")
    parser.add_argument("--effort", type=float, default=1.0, help="length of every measurement [1.0]; 0.05 is a test")
    parser.add_argument("--output", type=Path, default=Path("build"), help="folder for bench.json and bench.md [build]")
    given = parser.parse_args()
    config = default_path()
    setup = BenchmarkSetup(load(config).station(given.station), config, given.effort)

    console = Console()
    description = machine.describe()
    for what, words in description.items():
        console.print(f"{what:>11}  {words}", highlight=False)
    board: dict[str, list[Measurement]] = {}
    failed = False
    for section in given.sections or SECTIONS:
        measure: Callable[[BenchmarkSetup], Iterator[Measurement]] = import_module(f"bench.{section}").measure
        try:
            with console.status(f"measuring: {section}"):
                board[section] = list(measure(setup))
        except SectionSkipped as reason:
            console.print(f"{section}: skipped, {escape(str(reason))}")
            continue
        except (RadioError, RuntimeError) as fault:
            console.print(f"[red]{section}: {escape(str(fault))}[/]")
            failed = True
            continue
        console.print(_table(section, board[section]))
    given.output.mkdir(parents=True, exist_ok=True)
    files = given.output / "bench.json", given.output / "bench.md"
    files[0].write_text(json.dumps(report.as_json(description, board), indent=2) + "\n", encoding="utf-8")
    files[1].write_text(report.as_markdown(description, board), encoding="utf-8")
    console.print(f"also in {files[0]} and {files[1]}")
    return int(failed or any(figure.reached is False for figures in board.values() for figure in figures))


def _table(section: str, figures: list[Measurement]) -> Table:
    table = Table("what", "figure", "target", "", title=f"{section}: {SECTIONS[section]}", title_justify="left")
    table.columns[1].justify = table.columns[2].justify = "right"
    for figure in figures:
        mark = {None: "", True: "[green]✓[/]", False: "[red]missed[/]"}[figure.reached]
        table.add_row(figure.what, figure.shown, figure.wanted, mark)
    return table


if __name__ == "__main__":
    raise SystemExit(main())
