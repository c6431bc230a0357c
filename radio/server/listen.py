"""`GET /{station}.opus`, `.mp3`, `.aac`: endless streams, each one whole for as long as the connection lasts."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web

from radio.errors import StreamError
from radio.server import schemas
from radio.server.operation import Handler, Query, operation
from radio.server.problems import ProblemError
from radio.server.query import SID, sid_of
from radio.server.stations import channel_of
from radio.stream.codecs import CODECS
from radio.stream.connection import Connection
from radio.stream.relay import BURST_LIMIT
from radio.types import Format, Seconds

_TYPES: Mapping[Format, str] = MappingProxyType({"opus": "audio/ogg", "mp3": "audio/mpeg", "aac": "audio/aac"})
_NAMES: Mapping[Format, str] = MappingProxyType({"opus": "Ogg Opus", "mp3": "MP3", "aac": "AAC in ADTS"})
_QUERY = (
    Query("burst", schemas.number(minimum=0), "how many seconds of the past come first"),
    Query("sid", schemas.text(pattern=f"^{SID.pattern}$"), "a name, by which an event stream learns where this begins"),
)

BURST: web.AppKey[Seconds] = web.AppKey("burst", float)


class EndlessResponse(web.StreamResponse):
    """Raw bytes until the connection closes, in HTTP/1.1 too: many players stumble over chunked encoding."""

    # aiohttp adds chunked encoding where no length is known, unless told not to look, as it tells its WebSockets.
    _length_check = False

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no", **headers})
        self.force_close()


def routes() -> list[web.RouteDef]:
    """The addresses of the streams; aiohttp answers HEAD with them too."""
    return [web.get(f"/{{station}}.{format_}", _endless(format_)) for format_ in CODECS]


def _endless(format_: Format) -> Handler:
    @operation(f"Listen, as {_NAMES[format_]}", tag="listen", media=(_TYPES[format_],), query=_QUERY, endless=True)
    async def listen(request: web.Request) -> web.StreamResponse:
        """Send the station's stream; `?burst=` is how many seconds of the past come first."""
        channel = channel_of(request)
        burst, sid = _burst(request), sid_of(request)
        response = EndlessResponse(
            {
                "Content-Type": _TYPES[format_],
                "Access-Control-Allow-Origin": "*",
                "Accept-Ranges": "none",
                "icy-name": _latin(channel.settings.title),
                "icy-description": _latin(channel.settings.description),
                "icy-br": str(CODECS[format_].bit_rate // 1_000),
            }
        )
        await response.prepare(request)
        transport = request.transport
        if request.method == "HEAD" or transport is None:
            return response
        with contextlib.suppress(StreamError):  # whoever is gone already has no use for an answer
            begun = None if sid is None else functools.partial(channel.begun, sid)
            channel.mount(format_).relay.join(Connection(transport), burst=burst, begun=begun)
        return response

    return listen


def _burst(request: web.Request) -> Seconds:
    text = request.query.get("burst")
    if text is None:
        return request.app[BURST]
    try:
        burst = float(text)
    except ValueError:
        burst = math.nan
    if not 0 <= burst < math.inf:
        allowed = f"seconds, 0 or more; at most {BURST_LIMIT:g} are given"
        raise ProblemError(422, "not_allowed", f"burst: '{text}' is not {allowed}", field="burst", allowed=allowed)
    return burst


def _latin(text: str) -> str:
    """What a header may hold: one line of Latin-1 letters."""
    return " ".join(text.split()).encode("latin-1", "replace").decode("latin-1")
