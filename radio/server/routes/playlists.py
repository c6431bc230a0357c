"""`/{station}.m3u`, `/{station}.pls`: the station's streams by their whole addresses, for players that want a file.

A player takes the first that it can play, so that the format that everything plays comes first.
"""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from radio.server.broadcast.channel import Channel
from radio.server.broadcast.channels import channel_of
from radio.server.http.operation import operation

_ORDER: Final = ("mp3", "aac", "opus")
_HOST: Final = re.compile(r"([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?", re.IGNORECASE)


def routes() -> list[web.RouteDef]:
    """The addresses of the playlists."""
    return [web.get("/{station}.m3u", m3u), web.get("/{station}.pls", pls)]


@operation("The streams of a station as a playlist, M3U", tag="listen", media=("audio/x-mpegurl",))
async def m3u(request: web.Request) -> web.Response:
    """The extended form, in UTF-8."""
    channel = channel_of(request)
    lines = ["#EXTM3U"]
    for name, address in _streams(request, channel):
        lines += [f"#EXTINF:-1,{name}", address]
    return _file(lines, "audio/x-mpegurl")


@operation("The streams of a station as a playlist, PLS", tag="listen", media=("audio/x-scpls",))
async def pls(request: web.Request) -> web.Response:
    """Version 2, in UTF-8."""
    channel = channel_of(request)
    streams = _streams(request, channel)
    lines = ["[playlist]", f"NumberOfEntries={len(streams)}"]
    for number, (name, address) in enumerate(streams, 1):
        lines += [f"File{number}={address}", f"Title{number}={name}", f"Length{number}=-1"]
    return _file([*lines, "Version=2"], "audio/x-scpls")


def _streams(request: web.Request, channel: Channel) -> list[tuple[str, str]]:
    """Name and address of each stream."""
    title = " ".join(channel.settings.title.split())
    root = _root(request)
    return [(f"{title} ({each})", f"{root}/{channel.settings.name}.{each}") for each in _ORDER]


def _root(request: web.Request) -> str:
    """The address by which this client has found us, as far as what it says can be an address."""
    scheme = "https" if request.headers.get("X-Forwarded-Proto") == "https" else request.scheme
    host = request.headers.get("Host", "")
    if _HOST.fullmatch(host):
        return f"{scheme}://{host}"
    found = request.get_extra_info("sockname") or ("localhost",)
    address = f"[{found[0]}]" if ":" in found[0] else found[0]
    return f"{scheme}://{address}" + "".join(f":{port}" for port in found[1:2])


def _file(lines: list[str], kind: str) -> web.Response:
    text = "\n".join([*lines, ""])
    return web.Response(body=text.encode(), content_type=kind, charset="utf-8", headers={"Cache-Control": "no-cache"})
