"""Find the longest runs of notes that a station copies from its training corpus.

The same is measured of the validation pieces, which the model has never seen: they show how much human music of
this kind shares by chance.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from train.cli.options import add_config_and_seed, positive_number, read_station

SUMMARY: Final = "find the longest runs that a station copies from its corpus"
EXAMPLES: Final = """\
  python -m train originality data/lofi --station chill
  python -m train originality data/lofi --index radio/checkpoints/piano.index.safetensors
                                                                  # the index that `radio originality` reads
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `originality`."""
    parser.add_argument("corpus", type=Path, help="prepared corpus of the part's model")
    parser.add_argument("--part", choices=["piano", "drums"], default="piano", help="part to compare [piano]")
    parser.add_argument("--index", type=Path, help=".safetensors file to write the index of hashes to")
    parser.add_argument("--station", default="chill", help="station whose music is compared [chill]")
    parser.add_argument(
        "--minutes", type=positive_number, default=120.0, help="minutes of the station to compare [120]"
    )
    add_config_and_seed(parser)


def run(arguments: argparse.Namespace) -> None:
    """Compare the station with its corpus, and print the table as Markdown."""
    from radio.compose.originality import table
    from radio.compose.run_index import Index
    from radio.music.parts import PARTS
    from train.metrics import play
    from train.metrics.copied_runs import spread
    from train.metrics.music import compose

    part, station = PARTS[arguments.part], read_station(arguments)
    layer = "keys" if part.note_offs else "drums"
    seen, unseen = (play.human(play.corpus(arguments.corpus / f"{name}.jsonl")) for name in ("train", "validation"))
    index = Index.of(part, (piece.notes for piece in seen))
    index.human = spread(index, unseen)
    if arguments.index:
        index.write(arguments.index)
    played = compose(station, hours=arguments.minutes / 60, seed=arguments.seed).passage(layer)
    print("\n".join(table({"validation": index.human, station.name: spread(index, [played])})))
