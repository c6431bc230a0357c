"""`GET /{station}.opus`, `.mp3`, `.aac`: endless streams, each one whole for as long as the connection lasts."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web

from radio.errors import StreamError
from radio.server.broadcast.channel import Channel
from radio.server.broadcast.channels import channel_of
from radio.server.broadcast.listener_limits import Limits
from radio.server.http import schemas
from radio.server.http.operation import Handler, Query, operation
from radio.server.http.problems import ProblemError
from radio.server.http.query import SID, sid_of
from radio.stream.formats.codecs import CODECS
from radio.stream.formats.icy import METAINT, IcyInserter
from radio.stream.relay.connection import Connection
from radio.types import BURST_LIMIT, Format, Seconds

_TYPES: Mapping[Format, str] = MappingProxyType({"opus": "audio/ogg", "mp3": "audio/mpeg", "aac": "audio/aac"})
_NAMES: Mapping[Format, str] = MappingProxyType({"opus": "Ogg Opus", "mp3": "MP3", "aac": "AAC in ADTS"})
_QUERY = (
    Query("burst", schemas.number(minimum=0), "how many seconds of the past come first"),
    Query("sid", schemas.text(pattern=f"^{SID.pattern}$"), "a name, by which an event stream learns where this begins"),
)

BURST: web.AppKey[Mapping[Format, Seconds]] = web.AppKey("burst")
LIMITS: web.AppKey[Limits] = web.AppKey("limits", Limits)


class EndlessResponse(web.StreamResponse):
    """Raw bytes until the connection closes, in HTTP/1.1 too: many players stumble over chunked encoding."""

    # aiohttp adds chunked encoding where no length is known, unless told not to look, as it tells its WebSockets.
    _length_check = False

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no", **headers})
        self.force_close()


def routes() -> list[web.RouteDef]:
    """The addresses of the streams; aiohttp answers HEAD with them too."""
    endless = [web.get(f"/{{station}}.{format_}", _endless(format_)) for format_ in CODECS]
    return endless + [web.options(f"/{{station}}.{format_}", allowed) for format_ in CODECS]


def _endless(format_: Format) -> Handler:
    @operation(
        f"Listen, as {_NAMES[format_]}",
        tag="listen",
        media=(_TYPES[format_],),
        query=_QUERY,
        endless=True,
        problems={503: "There are as many listeners as may be."},
    )
    async def listen(request: web.Request) -> web.StreamResponse:
        """Send the station's stream, one for as long as the connection lasts.

        The last seconds come first, as fast as the connection takes them. MP3 and AAC carry titles for whoever asks
        with `Icy-MetaData: 1`. Who is half a minute behind, or takes nothing for a while, is disconnected.
        """
        channel = channel_of(request)
        burst, sid = _burst(request, format_), sid_of(request)
        named = format_ != "opus" and request.headers.get("Icy-MetaData") == "1"
        response = EndlessResponse(_headers(channel, format_, named=named))
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        gone = request.app[LIMITS].admit(channel, request.remote or "")
        try:
            await response.prepare(request)
            connection = Connection(request.transport)
        except (StreamError, OSError):  # whoever is gone, or for whom no file is free, gets no answer
            if gone is not None:
                gone()
            return response
        channel.mount(format_).relay.join(
            connection,
            burst=burst,
            inserter=IcyInserter(channel.now_playing.title_at) if named else None,
            on_start=None if sid is None else functools.partial(channel.record_stream_start, sid),
            on_leave=gone,
        )
        return response

    return listen


async def allowed(request: web.Request) -> web.Response:
    """Let players in other sites' pages ask for titles, which browsers want to hear first (Fetch, CORS preflight)."""
    channel_of(request)
    return web.Response(
        status=204,
        headers={
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
            "Access-Control-Allow-Headers": "Icy-MetaData, Range",
            "Access-Control-Max-Age": "86400",
        },
    )


def _headers(channel: Channel, format_: Format, *, named: bool) -> dict[str, str]:
    headers = {
        "Content-Type": _TYPES[format_],
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "icy-metaint, icy-name, icy-description, icy-br",
        "Accept-Ranges": "none",
        "icy-name": _latin(channel.settings.title),
        "icy-description": _latin(channel.settings.description),
        "icy-br": str(CODECS[format_].bit_rate // 1_000),
    }
    return headers | ({"icy-metaint": str(METAINT)} if named else {})


def _burst(request: web.Request, format_: Format) -> Seconds:
    text = request.query.get("burst")
    if text is None:
        return request.app[BURST][format_]
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
