"""Convert the weights of musicnn's tagger, which judges audio, from its wheel to the file that the radio ships.

The wheel contains checkpoints of TensorFlow 1, which are read without TensorFlow. The license is written next to the
weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

SUMMARY: Final = "convert the weights of the tagger that judges audio"
EXAMPLES: Final = """\
  pip download --no-deps musicnn==0.1.0
  python -m train tagger musicnn-0.1.0-py3-none-any.whl
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `tagger`."""
    parser.add_argument("wheel", type=Path, help="musicnn-0.1.0-py3-none-any.whl")
    parser.add_argument("--output", type=Path, metavar="FILE", help="file to write [the shipped one]")


def run(arguments: argparse.Namespace) -> None:
    """Convert the weights and print the size."""
    from radio.paths import TAGGER
    from train.tagger.convert import convert

    target = arguments.output or TAGGER
    print(f"{target}: {convert(arguments.wheel, target) / 1e6:.1f} MB")
