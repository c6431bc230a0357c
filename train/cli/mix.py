"""Measure the whole mix of stations or audio files, and compare it with 29 real lo-fi tracks.

Each station is rendered from each seed. The table shows medians over passages of 100 seconds; figures outside the goal
are bold, and rows about drums are left out for stations without drums.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

from train.cli.options import positive_number

SUMMARY: Final = "measure the mix of stations or files, and compare it with real lo-fi"
EXAMPLES: Final = """\
  python -m train mix --all
  python -m train mix --stations chill --minutes 6 --seeds 7 --measures all
  python -m train mix --files track.mp3
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `mix`."""
    sources = parser.add_mutually_exclusive_group(required=True)
    sources.add_argument("--all", action="store_true", help="measure every station")
    sources.add_argument("--stations", nargs="+", metavar="NAME", help="measure these stations")
    sources.add_argument("--files", nargs="+", type=Path, metavar="FILE", help="measure these audio files")
    parser.add_argument("--minutes", type=positive_number, default=6.0, help="minutes to render from each seed [6]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], metavar="N", help="seeds [1 2 3]")
    parser.add_argument(
        "--measures", choices=("goals", "all"), default="goals", help="measures in the table: those with a goal, or all"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures of each passage to this file")
    parser.add_argument("--config", type=Path, metavar="YAML", help="file that describes the stations [stations.yaml]")


def run(arguments: argparse.Namespace) -> None:
    """Render, measure, and print the figures as Markdown."""
    from radio.settings.config import load
    from train.metrics.mix.table import measure_file, measure_station, table

    if arguments.files:
        mixes = [measure_file(path) for path in arguments.files]
    else:
        config = load(arguments.config)
        names = config.stations if arguments.all else arguments.stations
        mixes = [
            measure_station(config.station(name), minutes=arguments.minutes, seeds=arguments.seeds) for name in names
        ]
    if arguments.json:
        arguments.json.write_text(json.dumps({mix.name: [*mix.passages] for mix in mixes}, indent=1) + "\n")
    print(table(mixes, all_measures=arguments.measures == "all"))
    for mix in mixes:
        print(
            f"\n{mix.name}: "
            + (f"outside the goal in {', '.join(mix.missed())}" if mix.missed() else "meets all goals")
        )
