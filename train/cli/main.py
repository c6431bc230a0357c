"""Parse the arguments of `python -m train`, run one command, and report errors in one line each.

A command is a module with `SUMMARY`, `EXAMPLES`, `add_arguments` and `run`. These modules import torch and the music
libraries only inside `run`, so that `--help` and mistakes in the arguments appear immediately.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol

from radio.errors import RadioError
from train.cli import (
    band,
    bass,
    card,
    compare,
    convert,
    evaluate,
    export,
    fit,
    gap,
    instruments,
    keys,
    listen,
    loops,
    metrics,
    mix,
    originality,
    prepare,
    prime,
    tagger,
    textures,
    timing,
    tune_state,
    tunes,
)

DESCRIPTION: Final = "Train models for the radio: prepare MIDI files, fit a model, evaluate and export it."

EPILOG: Final = """\
from MIDI files to a station of your own:
  python -m train prepare folder my-midi data/mine --part piano
  python -m train fit configs/tiny.yaml runs/mine
  python -m train evaluate runs/mine
  python -m train export runs/mine mine.safetensors

COMMAND --help shows the options and examples of a command. docs/training.md is the guide.
"""


class Command(Protocol):
    """A module of `train.cli` that defines a command; its docstring is the command's description."""

    @property
    def SUMMARY(self) -> str:  # noqa: N802 - a module's constant
        """One line for the list of commands."""

    @property
    def EXAMPLES(self) -> str:  # noqa: N802 - likewise
        """Command lines with comments, shown below the options."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments to its parser."""

    def run(self, arguments: argparse.Namespace) -> None:
        """Run the command. Raises RadioError or OSError if it fails."""


COMMANDS: Final[Mapping[str, Command]] = MappingProxyType(
    {
        "prepare": prepare,
        "tunes": tunes,
        "fit": fit,
        "tune-state": tune_state,
        "evaluate": evaluate,
        "export": export,
        "convert": convert,
        "card": card,
        "metrics": metrics,
        "gap": gap,
        "originality": originality,
        "loops": loops,
        "listen": listen,
        "tagger": tagger,
        "textures": textures,
        "mix": mix,
        "timing": timing,
        "prime": prime,
        "keys": keys,
        "bass": bass,
        "band": band,
        "compare": compare,
        "instruments": instruments,
    }
)
"""The commands by name, in the order of the help."""


def create_parser() -> argparse.ArgumentParser:
    """Return the parser for all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m train",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for name, command in COMMANDS.items():
        command.add_arguments(
            commands.add_parser(
                name,
                help=command.SUMMARY,
                description=command.__doc__,
                epilog=f"examples:\n{command.EXAMPLES}",
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line. Return 0, or 1 after an error, which is printed to standard error."""
    arguments = create_parser().parse_args(words)
    try:
        COMMANDS[arguments.command].run(arguments)
    except RadioError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:  # the disk is full, a folder is not writable, a file has the name of a folder
        print(f"{error.filename}: {error.strerror}" if error.filename else error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
