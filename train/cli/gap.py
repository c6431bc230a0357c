"""Measure the share of the gap between pop piano and lo-fi keyboards that a corpus and a model close.

The table lists, feature by feature, the figures of 121 lo-fi loops, of POP909, of the corpus, and of the model under
the corpus' chords, with the share of the gap that each of the last two closes. Only gaps of more than twice their
standard error count.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from radio.paths import CHECKPOINTS
from train.cli.options import DEFAULT_SEED, positive_number

SUMMARY: Final = "measure the share of the gap from pop piano to lo-fi that is closed"
EXAMPLES: Final = """\
  python -m train gap data/lofi
  python -m train gap data/lofi --model piano.safetensors --plain data/pop909
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `gap`."""
    parser.add_argument("corpus", type=Path, help="folder of a prepared corpus")
    parser.add_argument(
        "--plain",
        type=Path,
        help="POP909 prepared without --arrange, to estimate the error of each gap [pop909 next to CORPUS]",
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=CHECKPOINTS / "piano.safetensors",
        help="checkpoint of the piano model [the shipped one]",
    )
    parser.add_argument("--temperature", type=positive_number, default=1.0, help="sampling temperature [1.0]")
    parser.add_argument(
        "--seed", type=int, default=DEFAULT_SEED, help=f"seed of the model's performances [{DEFAULT_SEED}]"
    )


def run(arguments: argparse.Namespace) -> None:
    """Measure, and print the table as Markdown."""
    from radio.model.engines.selection import open_engine
    from radio.model.sampling import Sampling
    from radio.model.weights.checkpoint import read
    from radio.music.parts import PIANO
    from train.metrics import play
    from train.metrics.gap import PLAYS, compare, table

    pieces = play.corpus(arguments.corpus / "validation.jsonl", PIANO)
    plain = (arguments.plain or arguments.corpus.parent / "pop909") / "validation.jsonl"
    songs = play.human(play.corpus(plain, PIANO))
    model = read(arguments.model, PIANO)
    sampling = Sampling(temperature=arguments.temperature)
    played = play.under_plans(open_engine(model), model.part, pieces * PLAYS, sampling, seed=arguments.seed)
    columns = {arguments.corpus.name: play.human(pieces), arguments.model.stem: list(played)}
    print(table(compare(columns, songs)))
