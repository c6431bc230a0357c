"""`radio stations`: the stations of the config."""

from __future__ import annotations

import argparse
import json

from radio.cli.arguments import load_config
from radio.cli.exit_codes import OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--json", action="store_true", help="print name, title and description of each as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    stations = load_config(arguments.config).stations
    if arguments.json:
        rows = [
            {"name": station.name, "title": station.title, "description": station.description}
            for station in stations.values()
        ]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return OK
    width = max(map(len, stations))
    for station in stations.values():
        print(f"{station.name:{width}}  {station.title}: {station.description}".rstrip(" :"))
    return OK
