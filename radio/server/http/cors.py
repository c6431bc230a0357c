"""Responses to OPTIONS. Pages of any site may read from the radio, but not change it (Fetch, "CORS protocol")."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import web

_PREFLIGHT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
        "Access-Control-Allow-Headers": "Cache-Control, Icy-MetaData, If-Modified-Since, If-None-Match, Last-Event-ID, "
        "Range, X-Requested-With",
        "Access-Control-Max-Age": "86400",
    }
)


@web.middleware
async def answer_options(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer OPTIONS on every path with its methods and, if it has GET, the headers that other sites may send."""
    try:
        return await handler(request)
    except web.HTTPMethodNotAllowed as error:
        if request.method != "OPTIONS":
            raise
        preflight = _PREFLIGHT if "GET" in error.allowed_methods else {}
        allow = ", ".join(sorted({*error.allowed_methods, "OPTIONS"}))
        return web.Response(status=204, headers={"Allow": allow, **preflight})
