"""`radio originality`: compare a MIDI file with the music that the shipped models were trained on."""

from __future__ import annotations

import argparse
from pathlib import Path

from radio.cli.exit_codes import OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", type=Path, help="MIDI file that the radio wrote, or any other")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from radio.compose.originality import compare

    print(compare(arguments.file))
    return OK
