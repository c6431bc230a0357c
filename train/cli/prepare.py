"""Turn MIDI files into a corpus: token files for training and validation, and a data card.

The output folder gets train and validation, each as .jsonl (one piece per line, readable) and as .bin with .idx
(binidx, which training reads), a tokenizer.json for Hugging Face's tokenizers, and card.json. Files that cannot be used
are listed with the reason.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from train.cli.options import channel, positive_integer

SUMMARY: Final = "turn MIDI files into a corpus of tokens"
EXAMPLES: Final = """\
  python -m train prepare folder my-midi data/mine --part piano   # any folder of MIDI files
  python -m train prepare folder my-midi data/band --encoding events
                                                                  # all instruments as one stream of events
  python -m train prepare folder my-midi data/bass --encoding events --track bass
                                                                  # one part as such a stream
  python -m train prepare pop909 pop909.tar.gz data/pop909        # POP909 as it is
  python -m train prepare pop909 pop909.tar.gz data/lofi --arrange all --variants 3
                                                                  # POP909 arranged as lo-fi keyboards
  python -m train prepare groove groove.tar.gz data/beats --arrange all --variants 3
                                                                  # drumming on its grid, weighted for lo-fi
  python -m train prepare chords pop909.tar.gz data/chords --progressions progressions.json --standards irb.csv
                                                                  # chord loops with moods
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `prepare`."""
    parser.add_argument(
        "corpus",
        choices=["pop909", "groove", "folder", "chords"],
        help="contents of SOURCE: the POP909 data set, the Groove MIDI Dataset, any MIDI files (folder), or POP909 "
        "read only for its chords (chords)",
    )
    parser.add_argument("source", type=Path, help="a folder, or a tar archive of one")
    parser.add_argument("out", type=Path, help="folder to write the corpus to")
    parser.add_argument("--part", choices=["piano", "drums"], help="for folder: the part to read from the files")
    parser.add_argument(
        "--encoding",
        choices=["notes", "events"],
        default="notes",
        help="for folder: notes of one part, or events of all instruments together or of the chosen part [notes]",
    )
    parser.add_argument("--track", metavar="NAME", help="for folder: the track to read, by its name or its number")
    parser.add_argument("--channel", type=channel, metavar="N", help="for folder: the channel to read, 1 to 16")
    parser.add_argument(
        "--program", metavar="NAME", help="for folder: the instrument to read, a General MIDI name or its number, 0-127"
    )
    parser.add_argument(
        "--arrange",
        metavar="STAGES",
        help="stages to apply: all, or names separated by commas. Piano pieces become lo-fi keyboards by "
        "sections,harmony,thinning,voicing,sustain,touch; Groove's drums become lo-fi drumming by "
        "align,straighten,grid,vary,weigh [none]",
    )
    parser.add_argument(
        "--progressions",
        type=Path,
        metavar="JSON",
        help="for chords: progressions.json of the free-midi-chords project",
    )
    parser.add_argument(
        "--loops",
        action="store_true",
        help="with --arrange, for piano pieces: add tracks of repeated phrases, in the textures of lo-fi keys",
    )
    parser.add_argument(
        "--standards",
        type=Path,
        metavar="CSV",
        help="for chords: the table irb of the parkR project, plain or compressed with gzip, with jazz standards",
    )
    parser.add_argument("--variants", type=positive_integer, default=1, help="arrangements of each training piece [1]")


def run(arguments: argparse.Namespace) -> None:
    """Prepare the corpus and print a summary."""
    from radio.music.instruments import parse_program
    from radio.music.midi_parts import PartChoice
    from train.data.arrange import pipeline
    from train.data.drums import preparation
    from train.prepare.corpus import prepare

    stages = preparation.STAGES if arguments.corpus == "groove" else tuple(pipeline.STAGES)
    summary = prepare(
        arguments.corpus,
        arguments.source,
        arguments.out,
        arguments.part,
        stages=pipeline.parse_stages(arguments.arrange, stages) if arguments.arrange else (),
        variants=arguments.variants,
        loops=arguments.loops,
        encoding=arguments.encoding,
        progressions=arguments.progressions,
        table=arguments.standards,
        choice=PartChoice(
            arguments.track,
            arguments.channel,
            None if arguments.program is None else parse_program(arguments.program),
        ),
    )
    print("\n".join(summary.lines()))
