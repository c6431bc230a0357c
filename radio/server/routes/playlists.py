"""`/{station}.m3u` and `/{station}.pls`: playlists of a station's streams.

A player takes the first stream that it can play, so the format that every player supports comes first.
"""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from radio.server.broadcast.channel import Channel
from radio.server.broadcast.channels import channel_of
from radio.server.http.operation import operation

_ORDER: Final = ("mp3", "aac", "opus")
_PREFIX: Final = re.compile(r"(/[A-Za-z0-9._~-]{1,100}){1,8}/?")
_HOST: Final = re.compile(r"([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?", re.IGNORECASE)


def routes() -> list[web.RouteDef]:
    """Return the routes of the playlists."""
    return [web.get("/{station}.m3u", get_m3u), web.get("/{station}.pls", get_pls)]


@operation("Get an M3U playlist", tag="listen", media=("audio/x-mpegurl",))
async def get_m3u(request: web.Request) -> web.Response:
    """Get the streams of a station as extended M3U in UTF-8."""
    channel = channel_of(request)
    lines = ["#EXTM3U"]
    for name, address in _streams(request, channel):
        lines += [f"#EXTINF:-1,{name}", address]
    return _file(lines, "audio/x-mpegurl")


@operation("Get a PLS playlist", tag="listen", media=("audio/x-scpls",))
async def get_pls(request: web.Request) -> web.Response:
    """Get the streams of a station as PLS version 2 in UTF-8."""
    channel = channel_of(request)
    streams = _streams(request, channel)
    lines = ["[playlist]", f"NumberOfEntries={len(streams)}"]
    for number, (name, address) in enumerate(streams, 1):
        lines += [f"File{number}={address}", f"Title{number}={name}", f"Length{number}=-1"]
    return _file([*lines, "Version=2"], "audio/x-scpls")


def _streams(request: web.Request, channel: Channel) -> list[tuple[str, str]]:
    """Return the name and the address of each stream."""
    title = " ".join(channel.settings.title.split())
    root = _root(request)
    return [(f"{title} ({format_})", f"{root}/{channel.settings.name}.{format_}") for format_ in _ORDER]


def _root(request: web.Request) -> str:
    """Return the address by which the client reached the radio, if its headers have a valid one.

    A proxy that publishes the radio below a path must say so in `X-Forwarded-Prefix`. The entries are whole addresses,
    since players may open a saved playlist.
    """
    scheme = "https" if request.headers.get("X-Forwarded-Proto") == "https" else request.scheme
    prefix = request.headers.get("X-Forwarded-Prefix", "")
    path = prefix.rstrip("/") if _PREFIX.fullmatch(prefix) else ""
    for name in ("X-Forwarded-Host", "Host"):
        host = request.headers.get(name, "").partition(",")[0].strip()
        if _HOST.fullmatch(host):
            return f"{scheme}://{host}{path}"
    socket_name = request.get_extra_info("sockname") or ("localhost",)
    address = f"[{socket_name[0]}]" if ":" in socket_name[0] else socket_name[0]
    return f"{scheme}://{address}" + "".join(f":{port}" for port in socket_name[1:2]) + path


def _file(lines: list[str], content_type: str) -> web.Response:
    text = "\n".join([*lines, ""])
    return web.Response(
        body=text.encode(), content_type=content_type, charset="utf-8", headers={"Cache-Control": "no-cache"}
    )
