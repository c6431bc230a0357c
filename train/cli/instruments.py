"""Make the radio's soundfont from models of instruments, fit them to reference notes, and measure the distance.

The parameters are in `train/instruments/parameters`. `--fit` stores new ones. `--report` leaves each third of the
reference notes out of the fit in turn, and prints the distance of the soundfont's notes to these as Markdown, as in
`docs/sound.md`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from radio.paths import SOUNDFONT

SUMMARY: Final = "make the radio's soundfont, and measure its instruments"
EXAMPLES: Final = """\
  python -m train instruments                           # radio/instruments/lofi.sf2
  python -m train instruments --fit references          # fit the parameters first
  python -m train instruments --report references --plots build/instruments
"""

_FLUIDR3: Final = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `instruments`."""
    parser.add_argument("--out", type=Path, default=SOUNDFONT, metavar="SF2", help="file to write [the radio's own]")
    parser.add_argument(
        "--fit", type=Path, metavar="FOLDER", help="fit the parameters to the reference notes of a folder first"
    )
    parser.add_argument(
        "--levels", type=Path, metavar="SF2", help="measure a soundfont's loudness first, and match ours to it"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FOLDER", help="print the distances to reference notes, and write no soundfont"
    )
    parser.add_argument(
        "--beside", type=Path, default=_FLUIDR3, metavar="SF2", help="soundfont to compare with [FluidR3]"
    )
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="folder for plots of the report")


def run(arguments: argparse.Namespace) -> None:
    """Write the soundfont, or print the report."""
    if arguments.report:
        from train.instruments.report import plot, plot_notes, report, table

        rows = report(arguments.report, arguments.beside if arguments.beside.is_file() else None)
        print(table(rows))
        if arguments.plots:
            arguments.plots.mkdir(parents=True, exist_ok=True)
            plot(rows, arguments.plots / "sound-distances.png")
            plot_notes(arguments.out, arguments.plots / "sound-notes.png")
        return

    from train.instruments.build import build, fit, measure

    if arguments.fit:
        fit(arguments.fit)
    if arguments.levels:
        measure(arguments.levels)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    presets = build(arguments.out)
    print(f"{arguments.out}: {len(presets)} presets, {arguments.out.stat().st_size / 1e6:.1f} MB")
