"""Measure the timing of players: drummers of the Groove MIDI Dataset, keys and bass of the Jazz Trio Database.

The radio times its notes by the table that --out writes. An existing file keeps the half that is not measured. The
printed comparison of the drums shows how close that timing comes to the drummers of the validation split, who were not
measured.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

SUMMARY: Final = "measure the timing of drummers, and of keys and bass behind them"
EXAMPLES: Final = """\
  python -m train timing groove --out radio/checkpoints/timing.json
  python -m train timing --trios jazz-trio --out radio/checkpoints/timing.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `timing`."""
    parser.add_argument("source", type=Path, nargs="?", help="folder of the unpacked Groove MIDI Dataset")
    parser.add_argument("--trios", type=Path, metavar="FOLDER", help="folder of onsets of the Jazz Trio Database")
    parser.add_argument("--out", type=Path, metavar="JSON", help="file to write the table to")


def run(arguments: argparse.Namespace) -> None:
    """Measure, write the table, and print the comparison as Markdown."""
    from radio.errors import SettingsError
    from train.metrics.microtiming import measure_timing
    from train.metrics.trio_timing import measure_trios

    measures = [(arguments.source, measure_timing), (arguments.trios, measure_trios)]
    if not any(folder for folder, _ in measures):
        raise SettingsError("name the folder of the Groove MIDI Dataset, or --trios and a folder of onsets")
    table = {}
    if arguments.out and arguments.out.exists():
        try:
            table = dict(json.loads(arguments.out.read_text()))
        except (ValueError, TypeError) as error:
            raise SettingsError(f"{arguments.out}: not a table of timings ({error})") from error
    for folder, measure in measures:
        if folder:
            measured, comparison = measure(folder)
            table |= measured
            print(comparison)
    if arguments.out:
        arguments.out.write_text(json.dumps(table, ensure_ascii=False) + "\n")
