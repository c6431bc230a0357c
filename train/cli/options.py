"""Argument types and options that several commands share."""

from __future__ import annotations

import argparse
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # reading stations needs the music tables, which `--help` does not
    from radio.settings.station import StationSettings

DEFAULT_SEED: Final = 7


def positive_number(text: str) -> float:
    """Parse a finite number above 0."""
    with suppress(ValueError):
        number = float(text)
        if isfinite(number) and number > 0:
            return number
    raise argparse.ArgumentTypeError(f"{text} is not a number above 0")


def positive_integer(text: str) -> int:
    """Parse a whole number of at least 1."""
    with suppress(ValueError):
        number = int(text)
        if number >= 1:
            return number
    raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")


def channel(text: str) -> int:
    """Parse a MIDI channel, 1 to 16."""
    with suppress(ValueError):
        number = int(text)
        if 1 <= number <= 16:
            return number
    raise argparse.ArgumentTypeError(f"{text} is not a channel from 1 to 16")


def add_config_and_seed(parser: argparse.ArgumentParser) -> None:
    """Add `--config` and `--seed`, for commands that compose with a station."""
    parser.add_argument("--config", type=Path, metavar="YAML", help="file that describes the station [stations.yaml]")
    parser.add_argument(
        "--seed",
        type=int,
        default=DEFAULT_SEED,
        help=f"seed of the music; another seed plays other music [{DEFAULT_SEED}]",
    )


def add_weight_form(parser: argparse.ArgumentParser) -> None:
    """Add `--weights`, for commands that write a checkpoint."""
    parser.add_argument(
        "--weights",
        choices=["int8", "bf16", "fp32"],
        default="int8",
        help="number format of the stored weights; int8 is a quarter of fp32's size, predicts as well, and is the "
        "fastest on air [int8]",
    )


def read_station(arguments: argparse.Namespace) -> StationSettings:
    """Return the settings of the station `arguments.station`. Raises SettingsError if there is none."""
    from radio.settings.config import load

    return load(arguments.config).station(arguments.station)
