"""The log of changes that clients make."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from aiohttp import web

from radio.server.http.client_address import client_address
from radio.types import JsonValue

_log = logging.getLogger("radio.server")


def log_change(request: web.Request, change: str) -> None:
    """Log a change with the address of the client that requested it."""
    _log.info("%s, requested by %s", change, client_address(request) or "an unknown client")


def log_controls(request: web.Request, station: str, values: Mapping[str, JsonValue]) -> None:
    """Log a change of a station's controls."""
    log_change(request, f"station '{station}': {', '.join(f'{name}={value}' for name, value in values.items())}")
