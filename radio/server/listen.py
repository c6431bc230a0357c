"""`GET /{station}.opus`: an endless Ogg stream, as one logical stream for as long as the connection lasts."""

from __future__ import annotations

import asyncio
import math

from aiohttp import web

from radio.server import schemas
from radio.server.operation import Query, operation
from radio.server.problems import ProblemError
from radio.server.stations import channel_of
from radio.stream.connection import Connection
from radio.stream.relay import BURST_LIMIT
from radio.types import Seconds

BURST: web.AppKey[Seconds] = web.AppKey("burst", float)


class EndlessResponse(web.StreamResponse):
    """Raw bytes until the connection closes, in HTTP/1.1 too: many players stumble over chunked encoding."""

    # aiohttp adds chunked encoding where no length is known, unless told not to look, as it tells its WebSockets.
    _length_check = False

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no", **headers})
        self.force_close()


@operation(
    "Listen, as Ogg Opus",
    tag="listen",
    media=("audio/ogg",),
    query=(Query("burst", schemas.number(minimum=0), "how many seconds of the past come first"),),
    endless=True,
)
async def opus(request: web.Request) -> web.StreamResponse:
    """Send the station's Opus stream; `?burst=` is how many seconds of the past come first."""
    channel = channel_of(request)
    burst = _burst(request)
    response = EndlessResponse(
        {
            "Content-Type": "audio/ogg",
            "Access-Control-Allow-Origin": "*",
            "Accept-Ranges": "none",
            "icy-name": _latin(channel.settings.title),
            "icy-description": _latin(channel.settings.description),
            "icy-br": "96",
        }
    )
    await response.prepare(request)
    transport = request.transport
    if request.method == "HEAD" or transport is None or transport.is_closing():
        return response
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    relay = channel.relay
    listener = relay.join(
        Connection(transport), burst=burst, gone=lambda: None if over.done() else over.set_result(None)
    )
    try:
        await over
    finally:
        relay.leave(listener)
    return response


def routes() -> list[web.RouteDef]:
    """The addresses of the streams; aiohttp answers HEAD with them too."""
    return [web.get("/{station}.opus", opus)]


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
