"""`/{station}.opus`, `.mp3` and `.aac`: endless audio streams."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from radio.errors import StreamError
from radio.server.broadcast.channel import Channel
from radio.server.broadcast.channels import channel_of
from radio.server.broadcast.listener_limits import BURST, LIMITS
from radio.server.http.client_address import client_address
from radio.server.http.operation import Handler, operation
from radio.server.http.query import SID, QueryParameter
from radio.stream.formats.codecs import CODECS
from radio.stream.formats.icy import METAINT, IcyInserter
from radio.stream.relay.connection import Connection
from radio.types import BURST_LIMIT, Format, Seconds

_TYPES: Mapping[Format, str] = MappingProxyType({"opus": "audio/ogg", "mp3": "audio/mpeg", "aac": "audio/aac"})
_NAMES: Mapping[Format, str] = MappingProxyType({"opus": "Ogg Opus", "mp3": "MP3", "aac": "AAC in ADTS"})
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BURST: Final = QueryParameter[Seconds | None](
    "burst",
    Annotated[
        float,
        Meta(
            description=f"Seconds of past audio to send first, at most {BURST_LIMIT:g}. [the radio's setting]",
            ge=0,
            extra={"allowed": f"a number of seconds of at least 0; more than {BURST_LIMIT:g} count as {BURST_LIMIT:g}"},
        ),
    ],
    None,
)


class EndlessResponse(web.StreamResponse):
    """A response of raw bytes until the connection closes; many players cannot read chunked encoding."""

    # Otherwise aiohttp chunks a response of unknown length. Its WebSockets use the same switch.
    _length_check = False

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no", **headers})
        self.force_close()


def routes() -> list[web.RouteDef]:
    """Return the routes of the streams; aiohttp answers HEAD on them too."""
    return [web.get(f"/{{station}}.{format_}", _stream(format_)) for format_ in CODECS]


def _stream(format_: Format) -> Handler:
    @operation(
        f"Listen as {_NAMES[format_]}",
        tag="listen",
        media=(_TYPES[format_],),
        query=(_BURST, SID),
        endless=True,
        problems={503: "The listener limit is reached."},
    )
    async def listen(request: web.Request) -> web.StreamResponse:
        """Send the station's audio until the client disconnects.

        The last seconds come first, as fast as the connection allows. MP3 and AAC carry titles if the request has
        `Icy-MetaData: 1`. A client that pauses for more than half a minute is disconnected.
        """
        channel = channel_of(request)
        burst, sid = _BURST.read(request), SID.read(request)
        with_titles = format_ != "opus" and request.headers.get("Icy-MetaData") == "1"
        # Everything that can fail comes before the response begins.
        response = EndlessResponse(_headers(channel, format_, with_titles=with_titles))
        mount = channel.mount(format_)
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        on_leave = request.app[LIMITS].admit(channel, client_address(request))
        try:
            await response.prepare(request)
            connection = Connection(request.transport)
        except (StreamError, OSError):  # the client is gone, or no file descriptor is free
            if on_leave is not None:
                on_leave()
            return response
        mount.relay.join(
            connection,
            burst=request.app[BURST][format_] if burst is None else burst,
            inserter=IcyInserter(channel.now_playing.title_at) if with_titles else None,
            on_start=None if sid is None else functools.partial(channel.record_stream_start, sid),
            on_leave=on_leave,
        )
        return response

    return listen


def _headers(channel: Channel, format_: Format, *, with_titles: bool) -> dict[str, str]:
    headers = {
        "Content-Type": _TYPES[format_],
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "icy-metaint, icy-name, icy-description, icy-br",
        "Accept-Ranges": "none",
        "icy-name": _one_line(channel.settings.title),
        "icy-description": _one_line(channel.settings.description),
        "icy-br": str(CODECS[format_].bit_rate // 1_000),
    }
    return headers | ({"icy-metaint": str(METAINT)} if with_titles else {})


def _one_line(text: str) -> str:
    """Return a text without line breaks and other control characters. It is sent as UTF-8, as Icecast does."""
    return " ".join(_CONTROL.sub(" ", text).split())
