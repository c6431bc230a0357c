"""`radio check`: read the config and the files that it names."""

from __future__ import annotations

import argparse

from radio.cli.arguments import load_config
from radio.cli.exit_codes import OK
from radio.errors import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command, which has none of its own."""


def run(arguments: argparse.Namespace) -> int:
    """Run the command. Raises SettingsError with every mistake."""
    from radio.cli.doctor import files
    from radio.settings.config import default_path

    path = arguments.config or default_path()
    stations = load_config(path).stations
    if problems := [f"{path}: {file.name}: {file.detail}" for file in files(stations) if not file.is_ok]:
        raise SettingsError(problems)
    count = len(stations)
    print(f"{path}: valid, {count} station{'' if count == 1 else 's'}: {', '.join(stations)}")
    return OK
