"""`radio serve`: all stations over HTTP."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from radio.cli.arguments import load_config, port, seed
from radio.cli.exit_codes import OK
from radio.cli.logs import add_log, log_of
from radio.cli.musicgen import take_recording
from radio.cli.output import announce
from radio.cli.priming import add_prime, primed
from radio.cli.prompting import add_prompt
from radio.cli.signals import run_until_stopped
from radio.cli.state import add_state, folder_of
from radio.errors import SnapshotError
from radio.memory import return_freed_blocks
from radio.paths import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from radio.server.broadcast.state_folder import StateFolder
    from radio.settings.config import RadioConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "--host",
        action="append",
        help="address to listen on [the config's, else 127.0.0.1]; repeatable; one that other machines can reach needs "
        "control_token in the config, CONTROL_TOKEN in the environment, or --no-control",
    )
    parser.add_argument("--port", type=port, help="port to listen on, 0 for any free one [the config's, else 8000]")
    add_prompt(parser)
    add_log(parser)
    add_prime(parser)
    parser.add_argument("--no-control", action="store_true", help="disable control changes over HTTP")
    parser.add_argument(
        "--seed",
        type=seed,
        default=argparse.SUPPRESS,
        metavar="N",
        help="begin a new piece on every station; the same number begins the same pieces",
    )
    add_state(parser)
    parser.add_argument("--no-state", action="store_true", help="save no states: every start begins new pieces")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""

    def load(*, allow_missing: bool = False) -> RadioConfig:
        return _with_overrides(load_config(arguments.config, allow_missing=allow_missing), arguments)

    with contextlib.suppress(KeyboardInterrupt), log_of(arguments):  # Ctrl-C is the usual end
        config, states = load(allow_missing=True), _states(arguments)
        return_freed_blocks()
        try:
            serve(config, load=load, states=states, forget=arguments.seed is not None)
        finally:
            if states is not None:
                states.unlock()
    return OK


def _states(arguments: argparse.Namespace) -> StateFolder | None:
    """Return the folder of the states, locked, or None if no states are kept."""
    from radio.server.broadcast.state_folder import StateFolder

    if arguments.no_state:
        return None
    if arguments.state is None and state_folder() is None:
        print("radio: warning: there is no home folder: no states are kept (see --state)", file=sys.stderr)
        return None
    try:
        folder = StateFolder(folder_of(arguments.state))
        folder.lock()
    except SnapshotError as error:
        print(f"radio: warning: {error}: no states are kept", file=sys.stderr)
        return None
    return folder


def _with_overrides(config: RadioConfig, arguments: argparse.Namespace) -> RadioConfig:
    """Return the config with the values of the command line and the environment."""
    changes: dict[str, object] = {}
    if arguments.host is not None:
        changes["host"] = tuple(arguments.host) if len(arguments.host) > 1 else arguments.host[0]
    if arguments.port is not None:
        changes["port"] = arguments.port
    if arguments.no_control:
        changes["control"] = False
    if token := os.environ.get("CONTROL_TOKEN"):
        changes["control_token"] = token
    server = replace(config.server, **changes)  # type: ignore[arg-type]  # ServerSettings checks them
    stations = config.stations
    if arguments.prompt is not None:
        from radio.cli.prompting import prompted

        stations = {name: prompted(arguments, station) for name, station in stations.items()}
    if arguments.seed is not None:
        stations = {name: replace(station, seed=arguments.seed) for name, station in stations.items()}
    take_recording(arguments)
    if (arguments.prime, arguments.prime_part) != (None, None):
        stations = {name: primed(arguments, station) for name, station in stations.items()}
    return replace(config, server=server, stations=stations)


def serve(
    config: RadioConfig,
    *,
    load: Callable[[], RadioConfig] | None = None,
    states: StateFolder | None = None,
    forget: bool = False,
) -> None:
    """Serve every station until interrupted. Print the addresses.

    Args:
        config: The stations and the server's settings.
        load: Reads the config again on SIGHUP.
        states: The folder for the saved states of the stations.
        forget: Remove the states, so that the stations begin new pieces.

    Raises:
        ServerError: The port is taken, or the host is not an address of this machine.
        KeyboardInterrupt: A second SIGINT arrived.
    """
    from radio.server import app
    from radio.server.service_manager import ServiceManager

    def on_ready(addresses: list[str]) -> None:
        lines = ["On the air:", *(f"  {address}" for address in addresses), "Press Ctrl-C to stop."]
        announce("\n".join(lines))  # a full disk behind standard output is no reason to stop

    manager = ServiceManager(os.environ)
    host, port = config.server.host, config.server.port
    serving = app.serve(
        config, host=host, port=port, on_ready=on_ready, load=load, manager=manager, states=states, forget=forget
    )
    run_until_stopped(serving)
