"""Measure whether a piano model repeats the music that it has heard, and plays the requested texture.

The first four bars of each validation piece are fed four times in a row: a model that has learned to repeat needs fewer
bits each time. Then it plays under the chords of these bars, with different values of one attribute at a time.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from train.cli.options import positive_integer

SUMMARY: Final = "measure repetition and control by attributes"
EXAMPLES: Final = """\
  python -m train textures piano.safetensors data/lofi
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `textures`."""
    parser.add_argument("model", type=Path, help="exported piano model, .safetensors")
    parser.add_argument("corpus", type=Path, help="prepared corpus, whose validation pieces are used")
    parser.add_argument("--pieces", type=positive_integer, default=40, help="maximum number of pieces to use [40]")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random generators [1]")


def run(arguments: argparse.Namespace) -> None:
    """Measure, and print both tables as Markdown."""
    from radio.model.engines.selection import open_engine
    from radio.model.sampling import Sampling
    from radio.model.weights import checkpoint
    from radio.music.parts import PIANO
    from train.metrics import play
    from train.metrics.texture_control import obedience, repeated_bits, table

    engine = open_engine(checkpoint.read(arguments.model, PIANO))
    pieces = play.corpus(arguments.corpus / "validation.jsonl", PIANO)[: arguments.pieces]
    results = obedience(engine, pieces, Sampling(top_p=0.95), arguments.seed)
    print(table(repeated_bits(engine, pieces), results))
