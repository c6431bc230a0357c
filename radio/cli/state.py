"""`radio state`: the saved states of the stations, which `radio serve` resumes from."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from radio.cli.exit_codes import OK
from radio.errors import SettingsError, SnapshotError, did_you_mean
from radio.paths import state_folder

if TYPE_CHECKING:
    from radio.server.broadcast.saved_station import SavedStation
    from radio.server.broadcast.state_folder import StateFolder


def add_state(parser: argparse.ArgumentParser, *, default: str | None = None) -> None:
    """Add `--state`."""
    parser.add_argument(
        "--state",
        type=Path,
        default=default,
        metavar="DIR",
        help="folder of the saved states [$XDG_STATE_HOME/radio, else ~/.local/state/radio]",
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_state(parser)
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION")

    def action(name: str, description: str) -> argparse.ArgumentParser:
        words = f"{description[0].upper()}{description[1:]}."
        parser = actions.add_parser(name, help=description, description=words)
        add_state(parser, default=argparse.SUPPRESS)  # it may come before or after the action
        return parser

    action("list", "list the states; `radio state` without an action does the same")
    export = action("export", "copy the state of a station to a file, for another machine")
    load = action("import", "make a station resume from such a file instead of its own state")
    clear = action("clear", "remove the state of a station, which then begins a new piece")
    export.add_argument("name", metavar="STATION")
    export.add_argument("file", type=Path, metavar="FILE")
    load.add_argument("file", type=Path, metavar="FILE")
    load.add_argument("into", nargs="?", metavar="STATION", help="station that resumes from the file [the file's own]")
    clear.add_argument("name", metavar="STATION")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from radio.server.broadcast.saved_station import encode
    from radio.server.broadcast.state_folder import StateFolder, read_file, write_file

    folder = StateFolder(folder_of(arguments.state))
    match arguments.action:
        case "export":
            write_file(arguments.file, encode(folder.read(arguments.name)))
            print(f"{arguments.file}: the state of {arguments.name}")
        case "import":
            saved = read_file(arguments.file)
            name = _checked(arguments.into or saved.name, arguments.config)
            with _locked(folder):
                folder.write(name, saved)
            print(f"{name} resumes from {arguments.file} when the radio starts")
        case "clear":
            with _locked(folder):
                folder.clear(arguments.name)
            print(f"{arguments.name} begins a new piece when the radio starts")
        case _:
            _list(folder)
    return OK


def _checked(name: str, config: Path | None) -> str:
    """Return the name of a station. Print a warning if the config has no such station."""
    from radio.cli.arguments import load_config
    from radio.settings.station import check_name

    try:
        check_name(name)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    stations = list(load_config(config, allow_missing=True).stations)
    if name not in stations:
        hint = did_you_mean(name, stations)
        warning = f"the config has no station {name}.{hint} Stations: {', '.join(stations)}"
        print(f"radio: warning: {warning}", file=sys.stderr)
    return name


def folder_of(path: Path | None) -> Path:
    """Return the folder of the states. Raises SettingsError if none is named and there is no home folder."""
    if path is None and (path := state_folder()) is None:
        raise SettingsError("there is no home folder for saved states: name a folder with --state DIR")
    return path


@contextlib.contextmanager
def _locked(folder: StateFolder) -> Iterator[None]:
    """Lock the folder against a running radio, which would overwrite changes. Raise SnapshotError if one uses it."""
    try:
        folder.lock()
    except SnapshotError as error:
        raise SnapshotError(f"{error}: stop it first") from error
    try:
        yield
    finally:
        folder.unlock()


def _list(folder: StateFolder) -> None:
    empty = True
    for name, state in folder.states():
        empty = False
        print(f"{name}: {state if isinstance(state, SnapshotError) else _described(state)}")
    if empty:
        print(f"no states in {folder.path}")


def _described(saved: SavedStation) -> str:
    at = datetime.fromtimestamp(saved.saved_at, UTC).astimezone().isoformat(" ", "seconds")
    track = f"'{saved.tracks[-1].event.title}', " if saved.tracks else ""
    size = (len(saved.snapshot.data) + 999) // 1_000
    return f"{track}saved {at} by radio {saved.version}, seed {saved.run.seed}, {size} kB"
