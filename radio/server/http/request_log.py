"""The log of changes that clients make."""

from __future__ import annotations

import logging

from aiohttp import web

from radio.server.http.client_address import client_address

_log = logging.getLogger("radio.server")


def log_change(request: web.Request, change: str) -> None:
    """Log a change with the address of the client that requested it."""
    _log.info("%s, requested by %s", change, client_address(request) or "an unknown client")
