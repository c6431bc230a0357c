"""Train architectures of one size in the same way, and compare them: bits, speed, and size of the state.

RUNS contains a run for each recipe. Missing or unfinished runs are trained first, each at the best of several learning
rates. The speeds of training and playing are measured on one thread, all models in turn.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from radio.errors import SettingsError
from train.cli.options import positive_integer

SUMMARY: Final = "train architectures of one size in the same way, and compare them"
EXAMPLES: Final = """\
  OMP_NUM_THREADS=1 python -m train compare configs/compare runs/compare
  OMP_NUM_THREADS=1 python -m train compare configs/compare runs/quick --tokens 200000
                                                                  # a first look
  python -m train compare configs/compare runs/compare --train rwkv6 gru
                                                                  # train these two, measure later
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `compare`."""
    parser.add_argument("recipes", type=Path, help="folder of recipes that differ only in their models")
    parser.add_argument("runs", type=Path, help="folder of the runs, one for each recipe")
    parser.add_argument(
        "--tokens",
        type=positive_integer,
        help="train on this many tokens instead of the recipes' number, for a first look",
    )
    parser.add_argument("--train", nargs="+", metavar="NAME", help="only train these recipes, without measuring them")
    parser.add_argument(
        "--out", type=Path, default=Path("build/compare"), help="folder for compare.json, .md and .png [build/compare]"
    )


def run(arguments: argparse.Namespace) -> None:
    """Train missing runs, then measure all, write the results, and print them as Markdown."""
    from train.compare.training import recipes, shorten, train

    if not arguments.train:
        from train.compare.speed import require_one_thread

        require_one_thread()  # before hours of training rather than after
    by_name = recipes(arguments.recipes)
    if unknown := set(arguments.train or ()) - set(by_name):
        raise SettingsError(
            f"{arguments.recipes}: no recipe '{', '.join(sorted(unknown))}'; there are {', '.join(by_name)}"
        )
    for name in arguments.train or by_name:
        recipe = by_name[name]
        train(shorten(recipe, arguments.tokens) if arguments.tokens else recipe, arguments.runs / name)
    if not arguments.train:
        from train.compare.measure import measure
        from train.compare.tables import write

        print(write(measure({name: arguments.runs / name for name in by_name}), arguments.out))
