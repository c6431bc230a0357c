"""Write tunes in the public domain as MIDI files, which `prepare folder` reads.

The tunes come with the music21 package: O'Neill's Music of Ireland (1903) and Ryan's Mammoth Collection (1883).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

SUMMARY: Final = "write 1,774 tunes in the public domain as MIDI files"
EXAMPLES: Final = """\
  python -m train tunes my-tunes
  python -m train prepare folder my-tunes data/tunes --part piano
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `tunes`."""
    parser.add_argument("out", type=Path, help="folder to write the tunes to")
    parser.add_argument(
        "--collections",
        nargs="+",
        default=["oneills", "ryans"],
        metavar="NAME",
        help="oneills (Music of Ireland, 1903) or ryans (Ryan's Mammoth Collection, 1883) [both]",
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the tunes and print their number."""
    from train.data.corpus.tunes import write

    print(f"{write(arguments.collections, arguments.out)} tunes in {arguments.out}")
