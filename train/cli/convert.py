"""Write an exported model in another number format, or as the .pth file of RWKV-LM.

The .pth file contains only the weights, always as float32, for other RWKV runtimes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from train.cli.options import add_weight_form

SUMMARY: Final = "convert an exported model to another number format or to .pth"
EXAMPLES: Final = """\
  python -m train convert piano.safetensors small.safetensors --weights int8
  python -m train convert piano.safetensors piano.pth             # for other RWKV runtimes
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `convert`."""
    parser.add_argument("source", type=Path, help="an exported .safetensors")
    parser.add_argument("out", type=Path, help="file to write: .safetensors, or .pth (always fp32)")
    add_weight_form(parser)


def run(arguments: argparse.Namespace) -> None:
    """Convert the model."""
    from train.export.convert import convert

    convert(arguments.source, arguments.out, arguments.weights)
