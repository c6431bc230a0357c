"""`radio prompt`: show how words about the music are understood, as values of controls."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from radio.cli.arguments import load_config
from radio.cli.exit_codes import OK
from radio.cli.prompting import understood


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("words", nargs="+", metavar="WORDS", help="the prompt, such as 'rainy night, no drums'")
    parser.add_argument(
        "--station", default=argparse.SUPPRESS, metavar="NAME", help="station to apply them to [the first]"
    )
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    config = load_config(arguments.config)
    settings = config.station(arguments.station or next(iter(config.stations)))
    understanding = understood(" ".join(arguments.words), settings)
    if arguments.json:
        print(json.dumps(asdict(understanding), ensure_ascii=False, indent=2))
    else:
        from radio.prompt.text import lines_of

        print("\n".join(lines_of(understanding)))
    return OK
