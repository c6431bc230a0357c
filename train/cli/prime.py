"""Measure priming: the analysis of MIDI files, and the similarity of a primed station to its file.

Renders of the shipped stations are analyzed, and the results compared with the composed music. The same is done for
their recordings, and for tunes in the public domain whose key is known. Then a station is primed with some of the
renders, and its next two tracks are compared with the file and with nine others.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from train.cli.options import add_config_and_seed, positive_integer

SUMMARY: Final = "measure the analysis of MIDI files, and how closely primed stations follow them"
EXAMPLES: Final = """\
  python -m train prime --renders 50 --primed 50 --tunes 50 --recorded 50 --folder build/renders
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `prime`."""
    parser.add_argument("--renders", type=positive_integer, default=50, metavar="N", help="renders to analyze [50]")
    parser.add_argument(
        "--primed", type=int, default=20, metavar="N", help="number of these to prime a station with [20]"
    )
    parser.add_argument("--tunes", type=int, default=0, metavar="N", help="tunes in the public domain to analyze [0]")
    parser.add_argument(
        "--recorded", type=int, default=0, metavar="N", help="renders whose sound to analyze as well [0]"
    )
    parser.add_argument("--station", default="study", metavar="NAME", help="station to prime [study]")
    parser.add_argument(
        "--folder", type=Path, default=Path("build/renders"), help="folder of the renders [build/renders]"
    )
    add_config_and_seed(parser)


def run(arguments: argparse.Namespace) -> None:
    """Measure, and print the figures as Markdown tables."""
    from radio.settings.config import load
    from train.metrics.following import following_figures, following_table
    from train.metrics.priming import (
        figures_text,
        listened,
        listening_figures,
        recorded_figures,
        renders,
        tunes_figures,
    )

    stations = [station for station in load(arguments.config).stations.values() if "drums" in station.layers]
    paths = list(renders(stations, arguments.renders, arguments.folder, arguments.seed))
    comparisons = [listened(path) for path in paths]
    for one in comparisons:
        print(f"{one.name}: key {one.key}, mode {one.mode}, tempo {one.tempo}, roots {one.roots:.2f}")
    print(figures_text(listening_figures(comparisons)))
    if arguments.tunes:
        print(figures_text(tunes_figures(arguments.tunes, arguments.folder)), flush=True)
    if arguments.recorded:
        figures = recorded_figures(stations, paths, arguments.recorded, arguments.seed)
        print(figures_text(figures), flush=True)
    if arguments.primed:
        settings = load(arguments.config).station(arguments.station)
        print(following_table(following_figures(paths, settings, arguments.primed, arguments.seed)), flush=True)
