"""Arguments shared by several commands, and the settings that they select."""

from __future__ import annotations

import argparse
import os
import re
import secrets
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from radio.cli.priming import add_prime
from radio.cli.prompting import add_prompt
from radio.errors import ModelError, SettingsError, did_you_mean
from radio.types import LARGEST_SEED

if TYPE_CHECKING:  # `radio --help` imports no YAML
    from radio.settings.config import RadioConfig
    from radio.settings.station import StationSettings

_CHOICE: Final = re.compile(r"invalid choice: '(.*)' \(choose from (.*)\)")
_WORD: Final = re.compile(r"[\w-]+")


class Parser(argparse.ArgumentParser):
    """A parser that reports a mistake in one line, with the nearest name."""

    def __init__(self, prog: str, description: str, epilog: str = "") -> None:
        self.commands: dict[str, Parser] = {}
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        if choice := _CHOICE.search(message):
            message += _hint(choice[1], _WORD.findall(choice[2]))
        raise SettingsError(f"{message} (see {self.prog} --help)")

    def check_names(self, words: Sequence[str]) -> None:
        """Raise SettingsError for the first unknown option or command.

        Argparse would mistake the value of an unknown option for a command, and report that instead.
        """
        parser, rest = self, iter(words)
        for word in rest:
            options = {name: action for action in parser._actions for name in action.option_strings}
            name, equals, _ = word.partition("=")
            if word == "--":
                return
            if word in parser.commands:
                parser = parser.commands[word]
            elif name in options:
                if options[name].nargs != 0 and not equals:
                    next(rest, None)
            elif re.match(r"--?[a-z]", word):
                parser.error(f"{parser.prog} has no option {name}{_hint(name, options)}")
            elif parser.commands:
                parser.error(f"{parser.prog} has no command {word}{_hint(word, parser.commands)}")


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add `--config`."""
    parser.add_argument(
        "--config",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="FILE",
        help="config file [stations.yaml in this folder, else the one that comes with the radio]",
    )


def add_station(parser: argparse.ArgumentParser, *, set_to: str = "changes") -> None:
    """Add the options that select a station and its music.

    Args:
        parser: The parser of a command, or of `radio` itself.
        set_to: Attribute for the values of `--set`. `radio` and its commands need separate ones, because the parser of
            a command would replace the values of `radio`.
    """
    unset = argparse.SUPPRESS
    parser.add_argument("--station", default=unset, metavar="NAME", help="station; `radio stations` lists them")
    parser.add_argument(
        "--seed",
        type=seed,
        default=unset,
        metavar="N",
        help="seed of the music; the same seed plays the same music [the config's, else a new one each time]",
    )
    add_prompt(parser)
    add_prime(parser)
    parser.add_argument(
        "--set",
        dest=set_to,
        action="append",
        default=unset,
        metavar="CONTROL=VALUE",
        help="initial value of a control, such as tempo=72; repeatable; `radio controls` lists them",
    )


def load_config(path: Path | None, *, allow_missing: bool = False) -> RadioConfig:
    """Return the config, with the environment's engine instead of the stations' own.

    The prompts of the stations are applied. Warnings are printed to standard error; with `allow_missing`, missing files
    only cause a warning.
    """
    from radio.model.engines.selection import check_engine_name
    from radio.settings.config import load

    config = load(path, allow_missing=allow_missing)
    for warning in config.warnings:
        print(f"radio: warning: {warning}", file=sys.stderr)
    if name := os.environ.get("RADIO_ENGINE"):
        try:
            engine = check_engine_name(name)
        except ModelError as error:
            raise SettingsError(f"RADIO_ENGINE: {error}") from None
        stations = {key: replace(station, engine=engine) for key, station in config.stations.items()}
        config = replace(config, stations=stations)
    if any(station.prompt for station in config.stations.values()):
        from radio.cli.prompting import begin_as_prompted

        config = replace(config, stations={key: begin_as_prompted(station) for key, station in config.stations.items()})
    return config


def station_settings(
    arguments: argparse.Namespace, config: RadioConfig, *, default: str | None = None
) -> StationSettings:
    """Return the settings of the selected station, with the options of the command line applied.

    If the station starts from a file, controls that `--set` names override the file.

    Args:
        arguments: The parsed arguments of `add_station`.
        config: The stations to choose from.
        default: The station if none is named; None requires a name.
    """
    from radio.settings.fields import plain_value
    from radio.types import PRIME_CHOICES

    name = arguments.station or default
    if name is None:
        raise SettingsError(f"name the station with --station NAME: {', '.join(config.stations)}")
    settings = config.station(name)
    if arguments.prompt is not None:
        from radio.cli.prompting import prompted

        settings = prompted(arguments, settings)
    patch: dict[str, object] = {}
    for change in (*arguments.set, *arguments.changes):
        control, equals, value = change.partition("=")
        if not equals:
            raise SettingsError(f"--set {change}: write CONTROL=VALUE, such as tempo=72")
        patch[control] = plain_value(value)
    number = settings.seed if arguments.seed is None else arguments.seed
    leaves = tuple(choice for choice in PRIME_CHOICES if choice in {*settings.prime_leaves, *patch})
    controls = settings.controls.changed(patch)
    return replace(settings, controls=controls, prime_leaves=leaves, seed=number or drawn_seed())


def print_drawn_seed(arguments: argparse.Namespace, config: RadioConfig, settings: StationSettings) -> None:
    """Print the seed of the music that was played, if neither the command line nor the config sets one."""
    if not (config.station(settings.name).seed if arguments.seed is None else arguments.seed):
        with suppress(OSError):  # the terminal may be gone
            print(f"radio: {settings.name} began from seed {settings.seed}", file=sys.stderr)


def drawn_seed() -> int:
    """Return a random seed."""
    return 1 + secrets.randbelow(2**31)


def check_target(path: Path) -> None:
    """Raise SettingsError if a file of this path cannot be written."""
    folder = path.resolve().parent  # of a symbolic link, that of the file that it names
    if not folder.is_dir():
        raise SettingsError(f"{path}: there is no folder {folder if path.is_symlink() else path.parent}")
    if path.is_dir():
        raise SettingsError(f"{path}: this is a folder; give the name of a file")
    if not os.access(folder, os.W_OK):
        raise SettingsError(f"{path}: the folder {folder} is not writable")


def positive(word: str) -> float:
    """Return a number above 0."""
    try:
        value = float(word)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{word}' is not a number above 0")
    return value


def count(word: str) -> int:
    """Return a whole number from 1 to 1000."""
    if not word.isdecimal() or not 1 <= int(word) <= 1_000:
        raise argparse.ArgumentTypeError(f"'{word}' is not a whole number from 1 to 1000")
    return int(word)


def port(word: str) -> int:
    """Return a port number."""
    if not word.isdecimal() or int(word) > 65_535:
        raise argparse.ArgumentTypeError(f"'{word}' is not a port from 0 to 65535")
    return int(word)


def _hint(word: str, names: Iterable[str]) -> str:
    hint = did_you_mean(word, list(names))
    return f".{hint}" if hint else ""


def seed(word: str) -> int:
    """Return a seed."""
    if not word.isdecimal() or int(word) > LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"'{word}' is not a whole number from 0 to {LARGEST_SEED}")
    return int(word)
