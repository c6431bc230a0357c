"""Add measured figures to the card of an exported model.

Each JSON file is added to the card under its name, in the header of the .safetensors file and in the .json next to it.
The weights do not change.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

SUMMARY: Final = "add measured figures to an exported model's card"
EXAMPLES: Final = """\
  python -m train card piano.safetensors metrics=build/metrics/metrics.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `card`."""
    parser.add_argument("checkpoint", type=Path, help="an exported .safetensors")
    parser.add_argument(
        "figures", nargs="+", metavar="NAME=FILE.json", help="a name and the JSON file to add under that name"
    )


def run(arguments: argparse.Namespace) -> None:
    """Add the figures to the card."""
    from train.export.model_card import add, parse_pairs

    add(arguments.checkpoint, parse_pairs(arguments.figures))
