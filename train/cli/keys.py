"""Count the chords of each key in the radio's own loops. The radio detects the key of a file from these counts.

The stations with drums plan their tracks without notes. Each chord is counted by its degree in the key of its track,
together with the chord that follows it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from train.cli.options import add_config_and_seed, positive_integer

SUMMARY: Final = "count the chords of keys in the radio's own loops"
EXAMPLES: Final = """\
  python -m train keys radio/compose/listening/usage.npy --seed 5000
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `keys`."""
    parser.add_argument("out", type=Path, help="file to write the table to")
    parser.add_argument("--tracks", type=positive_integer, default=6000, metavar="N", help="tracks to count [6000]")
    add_config_and_seed(parser)


def run(arguments: argparse.Namespace) -> None:
    """Count, and write the table."""
    from radio.settings.config import load
    from train.metrics.chord_usage import count_usage, write

    stations = [station for station in load(arguments.config).stations.values() if "drums" in station.layers]
    write(arguments.out, count_usage(stations, arguments.tracks, arguments.seed))
