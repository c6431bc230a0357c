"""Train the bass model, or measure one.

The corpus is a table of jazz performances with the chord and the bass note of each beat. A tenth of the performances is
held out, and the figures are printed as Markdown.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from train.cli.options import positive_integer

SUMMARY: Final = "train the bass model, or measure one"
EXAMPLES: Final = """\
  python -m train bass jazz-bass.csv.gz --out radio/checkpoints/bass.safetensors
  python -m train bass jazz-bass.csv.gz --measure radio/checkpoints/bass.safetensors
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bass`."""
    parser.add_argument("corpus", type=Path, help="table of beats with chords and bass notes, .csv or .csv.gz")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--out", type=Path, metavar="FILE", help="train, and write the model and its card")
    action.add_argument("--measure", type=Path, metavar="FILE", help="measure an existing model")
    parser.add_argument("--epochs", type=positive_integer, default=8, metavar="N", help="passes through the corpus [8]")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the random generators [1]")


def run(arguments: argparse.Namespace) -> None:
    """Train and write a model, or read one, and print its figures."""
    import torch

    from radio.model import bass_model
    from train.bass.figures import measure_bass
    from train.bass.fit import train_bass
    from train.data.bass_corpus import read_performances

    performances = read_performances(arguments.corpus)
    if arguments.measure:
        print(measure_bass(bass_model.read(arguments.measure), performances).table())
        return
    torch.set_num_threads(1)  # the arrays are small: threads cost more than they save
    model, figures = train_bass(performances, epochs=arguments.epochs, seed=arguments.seed)
    bass_model.write(arguments.out, model)
    print(figures.table())
