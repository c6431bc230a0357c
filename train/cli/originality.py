"""Find the longest runs of notes that a station copies from its training corpus.

The validation pieces, which the model has never seen, are measured in the same way: they show how much human music of
this kind has in common by chance.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from train.cli.options import add_config_and_seed, positive_number, read_station

SUMMARY: Final = "find the longest runs that a station copies from its corpus"
EXAMPLES: Final = """\
  python -m train originality data/lofi --station chill
  python -m train originality data/lofi data/pop909 --files pop909 --track PIANO --index piano.index.safetensors
  python -m train originality data/lofi data/loops --known piano.index.safetensors --index piano-loops.index.safetensors
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `originality`."""
    parser.add_argument(
        "corpora",
        metavar="CORPUS",
        type=Path,
        nargs="+",
        help="prepared corpora that the model has seen; the validation pieces of the first represent human music",
    )
    parser.add_argument("--part", choices=["piano", "drums"], default="piano", help="part to compare [piano]")
    parser.add_argument(
        "--files",
        type=Path,
        metavar="FOLDER",
        help="also index the MIDI files that the training pieces were made from, on their own beats",
    )
    parser.add_argument("--track", metavar="NAME", help="with --files: only tracks of this name, such as PIANO [all]")
    parser.add_argument(
        "--known",
        type=Path,
        metavar="INDEX",
        help="index of more music that the model has seen; the new index leaves out what it contains",
    )
    parser.add_argument("--index", type=Path, help=".safetensors file to write the index of hashes to")
    parser.add_argument(
        "--filter", type=Path, help=".safetensors file to write the filter to, with which stations rank their phrases"
    )
    parser.add_argument("--station", default="chill", help="station whose music is compared [chill]")
    parser.add_argument(
        "--minutes", type=positive_number, default=120.0, help="minutes of the station to compare [120]"
    )
    add_config_and_seed(parser)


def run(arguments: argparse.Namespace) -> None:
    """Compare the station with its corpora, and print the table as Markdown."""
    from radio.compose.originality import table
    from radio.compose.run_filter import RunFilter
    from radio.compose.run_index import Index
    from radio.music.parts import PARTS
    from train.metrics import play
    from train.metrics.copied_runs import beyond, index_of, spread
    from train.metrics.music import compose

    part, station = PARTS[arguments.part], read_station(arguments)
    layer = "keys" if part.note_offs else "drums"
    index = own = index_of(part, arguments.corpora, arguments.files, arguments.track)
    if arguments.known:
        known = Index.read(arguments.known)
        own = beyond(index, known)
        index = Index.joined([known, own])
    index.human = spread(index, play.human(play.corpus(arguments.corpora[0] / "validation.jsonl", part)))
    if arguments.index:
        own.write(arguments.index)
    if arguments.filter:
        RunFilter.of(index).write(arguments.filter)
    played = compose(station, hours=arguments.minutes / 60, seed=arguments.seed).passage(layer)
    print("\n".join(table({"validation": index.human, station.name: spread(index, [played])})))
