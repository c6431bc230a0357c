"""List the chord loops that a station would play, by mood, and measure their variety.

No notes are composed: only the chord model runs.
"""

from __future__ import annotations

import argparse
from typing import Final

from radio.types import MOODS
from train.cli.options import add_config_and_seed, positive_number, read_station

SUMMARY: Final = "list a station's chord loops by mood"
EXAMPLES: Final = """\
  python -m train loops chill --list 20
  python -m train loops chill --moods sad dreamy --hours 4
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `loops`."""
    parser.add_argument("station", help="name of the station")
    parser.add_argument("--hours", type=positive_number, default=24.0, help="hours of tracks in each mood [24]")
    parser.add_argument(
        "--moods",
        nargs="+",
        choices=["any", *MOODS],
        default=["any", *MOODS],
        metavar="MOOD",
        help=f"moods to count: any, {', '.join(MOODS)} [all]",
    )
    parser.add_argument(
        "--list", type=int, default=0, metavar="N", help="also print the loops of the first N tracks [0]"
    )
    add_config_and_seed(parser)


def run(arguments: argparse.Namespace) -> None:
    """Draw the loops, list some, and print the counts as Markdown."""
    from train.metrics.loop_variety import listing, table, tracks, variety

    station, columns = read_station(arguments), {}
    for mood in arguments.moods:
        drawn = tracks(station, hours=arguments.hours, mood=mood, seed=arguments.seed)
        columns[mood] = variety(drawn)
        if arguments.list:
            print(f"{mood}\n{listing(drawn[: arguments.list])}\n")
    print(table(columns))
