"""Measure how much of the gap between pop piano and lo-fi keyboards a corpus and a station close.

The table lists, feature by feature, the figures of 121 lo-fi loops and of POP909, of the corpus, of the station's
piano model under the corpus' chords, and of the station's keys, with the share of the gap that each has closed. Only
gaps of more than twice their standard error count.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from train.cli.options import add_config_and_seed, positive_number, read_station

SUMMARY: Final = "measure how much of the gap from pop piano to lo-fi is closed"
EXAMPLES: Final = """\
  python -m train gap data/lofi
  python -m train gap data/lofi --station chill --plain data/pop909
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `gap`."""
    parser.add_argument("corpus", type=Path, help="folder of a prepared corpus")
    parser.add_argument(
        "--plain",
        type=Path,
        help="POP909 prepared without --arrange, to estimate the error of each gap [pop909, beside CORPUS]",
    )
    parser.add_argument("--station", default="chill", help="station whose keys are measured [chill]")
    parser.add_argument(
        "--minutes", type=positive_number, default=120.0, help="minutes of the station to measure [120]"
    )
    add_config_and_seed(parser)


def run(arguments: argparse.Namespace) -> None:
    """Measure, and print the table as Markdown."""
    from radio.model.engines.selection import open_engine
    from radio.model.sampling import Sampling
    from radio.model.weights.checkpoint import read
    from train.metrics import play
    from train.metrics.gap import PLAYS, compare, table

    pieces = play.corpus(arguments.corpus / "validation.jsonl")
    plain = play.human(play.corpus((arguments.plain or arguments.corpus.parent / "pop909") / "validation.jsonl"))
    station = read_station(arguments)
    model = read(station.piano)
    sampling = Sampling(temperature=station.controls.temperature)
    played = play.under_plans(open_engine(model), model.part, pieces * PLAYS, sampling, seed=arguments.seed)
    keys = play.station(station, hours=arguments.minutes / 60, seed=arguments.seed, layer="keys")
    columns = {arguments.corpus.name: play.human(pieces), station.piano.stem: list(played), station.name: [keys]}
    print(table(compare(columns, plain)))
