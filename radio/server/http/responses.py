"""JSON responses."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from radio.server.api.body import encode


def json_response(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a response with a JSON body."""
    response = web.Response(body=encode(body), status=status, headers=headers, content_type="application/json")
    response.charset = "utf-8"
    return response
