"""Measure how drummers of the Groove MIDI Dataset time their hits.

The radio times its drums by the table that --out writes. The printed comparison shows how near that timing comes to
the drummers of the validation split, who were not measured.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

SUMMARY: Final = "measure how Groove's drummers time their hits"
EXAMPLES: Final = """\
  python -m train timing groove --out radio/checkpoints/timing.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `timing`."""
    parser.add_argument("source", type=Path, help="folder of the unpacked Groove MIDI Dataset")
    parser.add_argument("--out", type=Path, metavar="JSON", help="file to write the table to")


def run(arguments: argparse.Namespace) -> None:
    """Measure, write the table, and print the comparison as Markdown."""
    from train.metrics.microtiming import measure_timing

    timings, comparison = measure_timing(arguments.source)
    if arguments.out:
        arguments.out.write_text(json.dumps(timings, ensure_ascii=False) + "\n")
    print(comparison)
