"""The player page, its embed, the overlay and their files from `radio/web`, and the stations' pictures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from radio.paths import WEB
from radio.server.artwork import sleeve
from radio.server.broadcast.channels import channel_of
from radio.server.http.operation import operation

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; media-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors {}"
)
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_PICTURES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
"""Said here, as machines differ in what they think of a file's name, and browsers are told not to guess."""
_HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}


def routes() -> list[web.RouteDef]:
    """The page at `/`, smaller ones for other sites' frames and for OBS, and what they ask for."""
    files = [path for path in sorted(WEB.rglob("*")) if path.suffix in _KINDS and path.suffix != ".html"]
    return [
        web.get("/", page),
        web.get("/embed/{station}", embed),
        web.get("/{station}/artwork", artwork),
        web.get("/{station}/overlay", overlay),
        *(web.get(f"/web/{path.relative_to(WEB).as_posix()}", _sender(path)) for path in files),
    ]


@operation("The page: listen, turn, make a track", tag="pages", media=("text/html",))
async def page(request: web.Request) -> web.StreamResponse:
    """The player page."""
    return await _sender(WEB / "index.html", frames="'self'")(request)


@operation("A compact player, for other sites' frames", tag="pages", media=("text/html",))
async def embed(request: web.Request) -> web.StreamResponse:
    """The compact player of one station, which any site may frame."""
    channel_of(request)
    return await _sender(WEB / "embed.html", frames="*")(request)


@operation("What is on, to lie over another picture, as in OBS", tag="pages", media=("text/html",))
async def overlay(request: web.Request) -> web.StreamResponse:
    """The title that is on, on no ground; `?theme=`, `?size=`, `?align=` and `?delay=` say how it looks."""
    channel_of(request)
    return await _sender(WEB / "overlay.html", frames="*")(request)


@operation("The picture of a station", tag="pages", media=tuple(_PICTURES.values()))
async def artwork(request: web.Request) -> web.StreamResponse:
    """The picture of a station: its `image`, else one that is drawn for it."""
    settings = channel_of(request).settings
    headers = {"Cache-Control": "max-age=3600"}
    if settings.image is not None:
        kind = _PICTURES.get(settings.image.suffix.lower(), "application/octet-stream")
        return web.FileResponse(settings.image, headers={**headers, "Content-Type": kind})
    return web.Response(text=sleeve(settings), content_type=_PICTURES[".svg"], headers=headers)


def _sender(path: Path, *, frames: str = "'none'") -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    headers = {**_HEADERS, "Content-Type": _KINDS[path.suffix], "Content-Security-Policy": _POLICY.format(frames)}

    async def send(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(path, headers=headers)

    return send
