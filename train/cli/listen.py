"""Measure what a station composes: chord tones, backbeat, density, entropy, at several temperatures."""

from __future__ import annotations

import argparse
from typing import Final

from train.cli.options import add_config_and_seed, positive_number, read_station

SUMMARY: Final = "measure what a station composes"
EXAMPLES: Final = """\
  python -m train listen chill --minutes 30
  python -m train listen chill --temperatures 0.8 1.0 1.2
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `listen`."""
    parser.add_argument("station", help="name of the station")
    parser.add_argument(
        "--minutes", type=positive_number, default=30.0, help="minutes of music at each temperature [30]"
    )
    parser.add_argument(
        "--temperatures",
        type=positive_number,
        nargs="+",
        default=[0.6, 1.0, 1.2],
        metavar="T",
        help="sampling temperatures, one column each [0.6 1.0 1.2]",
    )
    add_config_and_seed(parser)


def run(arguments: argparse.Namespace) -> None:
    """Compose, measure, and print the figures as Markdown."""
    from train.metrics.listen import listen, table

    results = listen(
        read_station(arguments),
        minutes=arguments.minutes,
        temperatures=arguments.temperatures,
        seed=arguments.seed,
    )
    print(table(results))
