"""The player page and its files, from `radio/web`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

WEB = Path(__file__).parent.parent / "web"
_POLICY = "default-src 'self'; img-src 'self' data:; media-src 'self'; base-uri 'none'; form-action 'none'"
_HEADERS = {"Cache-Control": "no-cache", "Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}


def routes() -> list[web.RouteDef]:
    """The page at `/`, and the style, script and icon it asks for."""
    files = {"/": "index.html", "/style.css": "style.css", "/player.js": "player.js", "/icon.svg": "icon.svg"}
    return [web.get(address, _sender(WEB / name)) for address, name in files.items()]


def _sender(path: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def send(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(path, headers=_HEADERS)

    return send
