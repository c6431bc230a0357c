"""Export a run's last checkpoint as a .safetensors file that the radio plays, with its model card.

The card is written to the file's header and to a .json next to it: recipe, corpus, tokens trained, and the figures of
`evaluate` if they were measured.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

from radio.music.parts import PARTS
from train.cli.options import add_weight_form

SUMMARY: Final = "export a run as a model that the radio plays"
EXAMPLES: Final = """\
  python -m train export runs/piano piano.safetensors             # for `piano:` of a station
  python -m train export runs/piano piano.safetensors --weights fp32
  python -m train export runs/shared drums.safetensors --part drums
                                                                  # one part of a shared trunk
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `export`."""
    parser.add_argument("run", type=Path, help="folder of the run, whose last.ckpt is exported")
    parser.add_argument("out", type=Path, help="file to write, ending in .safetensors; the card is written next to it")
    parser.add_argument("--part", choices=PARTS, help="part of a shared trunk to export")
    add_weight_form(parser)


def run(arguments: argparse.Namespace) -> None:
    """Export the run's last checkpoint."""
    from radio.errors import SettingsError
    from train.export.checkpoint import export

    figures_path = arguments.run / "figures.json"
    try:
        figures = dict(json.loads(figures_path.read_text())) if figures_path.exists() else {}
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{figures_path}: not the figures of `train evaluate` ({error}); run it again") from error
    export(
        arguments.run / "last.ckpt",
        arguments.out,
        figures.get(arguments.part, figures),
        arguments.weights,
        PARTS[arguments.part] if arguments.part else None,
    )
