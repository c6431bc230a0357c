"""The log of what clients change."""

from __future__ import annotations

import logging

from aiohttp import web

_log = logging.getLogger("radio.server")


def log_change(request: web.Request, change: str) -> None:
    """Log a change with the address of the client that requested it."""
    _log.info("%s, requested by %s", change, request.remote or "an unknown client")
