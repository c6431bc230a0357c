"""The player page, the embedded player, the overlay, their files from `radio/web`, and the stations' pictures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from radio.paths import WEB
from radio.server.artwork import draw_artwork
from radio.server.broadcast.channels import channel_of
from radio.server.http.operation import operation

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; media-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors {}"
)
_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_IMAGE_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
"""Declared here, since the types of file suffixes differ between machines, and browsers must not guess (`nosniff`)."""
_HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}


def routes() -> list[web.RouteDef]:
    """Return the routes of the pages and their files."""
    files = [path for path in sorted(WEB.rglob("*")) if path.suffix in _CONTENT_TYPES and path.suffix != ".html"]
    return [
        web.get("/", get_page),
        web.get("/embed/{station}", get_embed),
        web.get("/{station}/artwork", get_artwork),
        web.get("/{station}/overlay", get_overlay),
        *(web.get(f"/web/{path.relative_to(WEB).as_posix()}", file_handler(path)) for path in files),
    ]


@operation("Get the player page", tag="pages", media=("text/html",))
async def get_page(request: web.Request) -> web.StreamResponse:
    """Get the player page: listen, change controls, order tracks."""
    return await file_handler(WEB / "index.html", frames="'self'")(request)


@operation("Get the embedded player", tag="pages", media=("text/html",))
async def get_embed(request: web.Request) -> web.StreamResponse:
    """Get a compact player of one station, which any site may show in a frame."""
    channel_of(request)
    return await file_handler(WEB / "embed.html", frames="*")(request)


@operation("Get the overlay", tag="pages", media=("text/html",))
async def get_overlay(request: web.Request) -> web.StreamResponse:
    """Get the current title on a transparent background, for OBS.

    The query parameters `theme`, `size`, `align` and `delay` are read by the page.
    """
    channel_of(request)
    return await file_handler(WEB / "overlay.html", frames="*")(request)


@operation("Get the picture of a station", tag="pages", media=tuple(_IMAGE_TYPES.values()))
async def get_artwork(request: web.Request) -> web.StreamResponse:
    """Get the picture of a station: its `image`, or a generated one."""
    settings = channel_of(request).settings
    headers = {"Cache-Control": "max-age=3600"}
    if settings.image is not None:
        content_type = _IMAGE_TYPES.get(settings.image.suffix.lower(), "application/octet-stream")
        return web.FileResponse(settings.image, headers={**headers, "Content-Type": content_type})
    return web.Response(text=draw_artwork(settings), content_type=_IMAGE_TYPES[".svg"], headers=headers)


def file_handler(path: Path, *, frames: str = "'none'") -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return a handler that sends a file of a page, with the page's policy.

    Args:
        path: the file; its suffix gives the content type.
        frames: the sites that may show the page in a frame, as in Content-Security-Policy.
    """
    headers = {
        **_HEADERS,
        "Content-Type": _CONTENT_TYPES[path.suffix],
        "Content-Security-Policy": _POLICY.format(frames),
    }

    async def send(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(path, headers=headers)

    return send
