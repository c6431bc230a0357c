"""The page of a survey and its files."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from radio.paths import WEB
from radio.server.routes.pages import file_handler

_FILES: Final = ("base.css", "dom.js", "icon.svg", "survey.css", "survey.js")


def page_routes() -> list[web.RouteDef]:
    """Return the routes of the page, of the files that it needs, and of the fonts."""
    fonts = sorted(path.relative_to(WEB).as_posix() for path in (WEB / "fonts").glob("*.woff2"))
    return [
        web.get("/", file_handler(WEB / "survey.html")),
        *(web.get(f"/web/{name}", file_handler(WEB / name)) for name in (*_FILES, *fonts)),
    ]
