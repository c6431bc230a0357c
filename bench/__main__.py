"""`python -m bench`: a table on the terminal, the same as JSON in build/bench.json."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import machine, process, stages
from radio.config import default_path, load


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--station", default="chill", help="the station to measure [chill]")
    parser.add_argument("--seconds", type=float, default=0.5, help="of work for each of the five runs of a stage [0.5]")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="where the figures go")
    given = parser.parse_args()
    config = default_path()
    settings = load(config).station(given.station)

    console = Console()
    description = machine.describe()
    figures = []
    with console.status("measuring") as status:
        for figure in chain(stages.measure(settings, given.seconds), process.measure(given.station, str(config))):
            figures.append(figure)
            status.update(f"measured: {figure.stage}")
    for what, words in description.items():
        console.print(f"{what:>11}  {words}", highlight=False)
    table = Table("stage", "figure", "unit")
    table.columns[1].justify = "right"
    for figure in figures:
        places = 0 if figure.value >= 100 else 2
        table.add_row(figure.stage, f"{figure.value:,.{places}f}", figure.unit)
    console.print(table)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps({"machine": description, "figures": [asdict(each) for each in figures]}, indent=2))
    console.print(f"also in {given.json}")


main()
