"""Fuzz the readers of files and messages with atheris, which searches for inputs that reach new code.

`python -m tests.fuzz` needs `pip install atheris`. A crash, a hang of 20 seconds or 2 GB of memory ends a target, and
the input is kept in the working directory, so that it can become a test.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console

from bench.document import replace_table
from tests.fuzz.targets import TARGETS

_LIMITS: Final = ("-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1", "-len_control=0")


def main() -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the readers of external bytes.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{', '.join(TARGETS)} [all]")
    parser.add_argument("--minutes", type=float, default=10.0, help="time per target [%(default)g]")
    parser.add_argument("--output", type=Path, help="replace the table between the markers of this Markdown file")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.targets if name not in TARGETS]:
        parser.error(f"there is no target {', '.join(unknown)}; targets: {', '.join(TARGETS)}")
    console = Console()
    rows = ["| target | inputs | code reached | result |", "| --- | ---: | ---: | --- |"]
    status = 0
    for name in arguments.targets or TARGETS:
        console.print(f"{name}: {arguments.minutes:g} minutes")
        row, passed = _fuzz(name, arguments.minutes)
        rows.append(row)
        console.print(row, highlight=False)
        status |= not passed
    table = "\n".join(rows) + "\n"
    console.print(table, highlight=False)
    if arguments.output is not None:
        replace_table(arguments.output, "fuzz", f"python -m tests.fuzz --minutes {arguments.minutes:g}", table)
    return status


def _fuzz(name: str, minutes: float) -> tuple[str, bool]:
    """Fuzz a target in a separate process. Return its table row, and whether it passed."""
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(TARGETS[name].seeds()):
            (Path(folder) / f"seed-{number}").write_bytes(seed)
        longest = 4 * max(path.stat().st_size for path in Path(folder).iterdir())
        options = [*_LIMITS, f"-max_total_time={round(60 * minutes)}", f"-max_len={longest}"]
        command = [sys.executable, "-m", "tests.fuzz.process", name, folder, *options]
        process = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    output = process.stderr
    inputs = re.search(r"number_of_executed_units: (\d+)", output)
    reached = re.findall(r"cov: (\d+)", output)
    if process.returncode:
        sys.stderr.write(output[-3_000:])
    result = f"ended with status {process.returncode}" if process.returncode else "no crash, no hang"
    count = f"{int(inputs[1]):,}" if inputs else "?"
    return f"| {name} | {count} | {reached[-1] if reached else '?'} | {result} |", not process.returncode


if __name__ == "__main__":
    sys.exit(main())
