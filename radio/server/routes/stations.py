"""What is on and what can be turned, as JSON: `/api/stations` and below."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiohttp import web

from radio.server.artwork import palette
from radio.server.broadcast import worker_runs as history
from radio.server.broadcast.channel import Channel
from radio.server.broadcast.channels import CHANNELS, channel_of
from radio.server.broadcast.event_stream import encoded
from radio.server.broadcast.now_playing import TRACKS
from radio.server.broadcast.pushes import PUSHES
from radio.server.http import schemas
from radio.server.http.authorization import AUTHORIZATION
from radio.server.http.body import json_object
from radio.server.http.operation import Query, operation
from radio.server.http.query import SID, sid_of, whole
from radio.server.routes.listen import EndlessResponse
from radio.server.routes.tracks import TRACK_JOBS
from radio.settings.controls import CONTROLS
from radio.stream.formats.codecs import CODECS
from radio.stream.relay.connection import limit_buffers
from radio.types import SAMPLE_RATE, JsonValue, Seconds

KEEP_ALIVE: Seconds = 15.0
"""A comment goes to a silent event stream this often, so that proxies leave it open."""


def routes() -> list[web.RouteDef]:
    """The addresses under /api."""
    return [
        web.get("/api/stations", stations),
        web.get("/api/stations/{station}", station),
        web.patch("/api/stations/{station}/controls", change),
        web.post("/api/stations/{station}/skip", skip),
        web.get("/api/stations/{station}/events", events),
        web.get("/api/stations/{station}/history", past),
    ]


@operation("Every station in short", tag="stations", answer="Stations")
async def stations(request: web.Request) -> web.Response:
    """Every station in short, and what may be done here: turn the controls, make tracks."""
    found: list[JsonValue] = [_brief(channel) for channel in request.app[CHANNELS].values()]
    makes_tracks = request.app[TRACK_JOBS] is not None
    return _json({"stations": found, "control": request.app[AUTHORIZATION].mode, "tracks": makes_tracks})


_SID = Query(
    "sid", schemas.text(pattern=f"^{SID.pattern}$"), "the name under which a stream of the station is open too"
)


@operation("One station in full", tag="stations", answer="Station", query=(_SID,))
async def station(request: web.Request) -> web.Response:
    """One station in full.

    With `?sid=`, `stream` has the `first` frame of the audio that was opened under that name; null where there is none.
    """
    channel, sid = channel_of(request), sid_of(request)
    found = _full(request, channel)
    if sid is not None:
        found["stream"] = {"sid": sid, "first": channel.subscribers.first_frame(sid)}
    return _json(found)


@operation(
    "Change controls, all of them or none",
    tag="control",
    body="Controls",
    answer="Landings",
    guarded=True,
    problems={503: "The station is being restarted."},
)
async def change(request: web.Request) -> web.Response:
    """Change controls.

    The answer says from which bar and frame each new value is heard at the live edge: one for the music from a bar line
    on, one for the mix at once. A value that is not allowed changes nothing.
    """
    channel = channel_of(request)
    request.app[AUTHORIZATION].admit(request)
    patch = await json_object(request, '{"tempo": 78}')
    landings = await channel.change(patch)
    values = channel.controls.as_json()
    controls: dict[str, JsonValue] = {
        name: {"value": values[name], "bar": landing.bar, "frame": landing.frame} for name, landing in landings.items()
    }
    return _json({"controls": controls, "live": channel.edge.live, "sample_rate": SAMPLE_RATE})


@operation(
    "Begin the next track",
    tag="control",
    answer="Skip",
    guarded=True,
    problems={503: "The station is being restarted."},
)
async def skip(request: web.Request) -> web.Response:
    """Begin the next track.

    It begins with the next bar that is not composed yet, and the answer says which one and where.
    """
    channel = channel_of(request)
    request.app[AUTHORIZATION].admit(request)
    landing = await channel.skip()
    return _json({"bar": landing.bar, "frame": landing.frame, "live": channel.edge.live, "sample_rate": SAMPLE_RATE})


@operation(
    "The last tracks, newest first",
    tag="stations",
    answer="History",
    query=(Query("limit", schemas.whole(minimum=1, maximum=TRACKS), "how many tracks at most"),),
)
async def past(request: web.Request) -> web.Response:
    """The last tracks.

    Each with what is needed to compose it again: the seed of the worker that played it and the number of its first bar;
    the controls as it began, and what was changed since. `runs` has, for each worker, its checkpoints, its settings
    and every change since its own first bar: the music depends on them all.
    """
    channel = channel_of(request)
    limit = whole(request, "limit", 1, TRACKS, default=TRACKS)
    live = channel.edge.live
    found = history.as_json(channel.now_playing.tracks, channel.runs, live=live, limit=limit)
    return _json({**found, "live": live, "sample_rate": SAMPLE_RATE})


@operation(
    "What airs, as it airs",
    tag="stations",
    media=("text/event-stream",),
    query=(_SID,),
    endless=True,
)
async def events(request: web.Request) -> web.StreamResponse:
    """Server-sent events (WHATWG HTML, section 9.2), each with the mount's `frame` at which it is heard.

    Kinds are track, bar, note and control. The first one, of kind `now`, is the station in full, with its `recent`
    tracks, bars and notes. With `?sid=`, the name under which a stream of the station is opened too, one of kind
    `stream` tells the frame it begins with, so that a page can show a title when it is heard.
    """
    channel, sid = channel_of(request), sid_of(request)
    response = EndlessResponse({"Content-Type": "text/event-stream", "Access-Control-Allow-Origin": "*"})
    await response.prepare(request)
    transport = request.transport
    if request.method == "HEAD" or transport is None or transport.is_closing():
        return response
    limit_buffers(transport)
    subscriber = channel.subscribers.join(transport.abort, sid=sid)
    data: bytes | None = encoded("now", {**_full(request, channel), "recent": channel.now_playing.recent()})
    if sid is not None and (first := channel.subscribers.first_frame(sid)) is not None:
        channel.subscribers.record_stream_start(sid, first, channel.edge.live)
    try:
        while data is not None:
            await response.write(data)
            try:
                async with asyncio.timeout(KEEP_ALIVE):
                    data = await subscriber.queue.get()
            except TimeoutError:
                data = b": still here\n\n"
    except ConnectionError:
        pass
    finally:
        channel.subscribers.leave(subscriber)
    return response


def _brief(channel: Channel) -> dict[str, JsonValue]:
    settings, edge = channel.settings, channel.edge
    colours = palette(settings)
    return {
        "name": settings.name,
        "title": settings.title,
        "description": settings.description,
        "on_air": edge.on_air,
        "now": channel.now_playing.as_json(),
        "live": edge.live,
        "sample_rate": SAMPLE_RATE,
        "listeners": channel.listeners,
        "art": {"image": f"/{settings.name}/artwork", "hue": colours.hue, "ground": colours.ground},
        "export": f"/api/stations/{settings.name}/export",
        "streams": {
            **{format_: f"/{settings.name}.{format_}" for format_ in CODECS},
            "hls": f"/{settings.name}/hls/index.m3u8",
        },
    }


def _full(request: web.Request, channel: Channel) -> dict[str, JsonValue]:
    values, defaults = channel.controls.as_json(), channel.settings.controls.as_json()
    edge = channel.edge
    controls: dict[str, JsonValue] = {
        name: {
            "value": values[name],
            "default": defaults[name],
            "kind": control.kind,
            **({"choices": [*control.choices]} if control.choices else {"low": control.low, "high": control.high}),
            "unit": control.unit,
            "lands": control.lands,
            "group": control.group,
            "help": control.help,
            "allowed": control.allowed,
        }
        for name, control in CONTROLS.items()
    }
    health: dict[str, JsonValue] = {
        "reserve": round(edge.reserve, 3),
        "underruns": edge.underruns,
        "late": round(edge.total_delay, 3),
        "restarts": channel.restarts,
        "encoder_restarts": channel.encoder_restarts,
        "joined": sum(mount.relay.counts.joined for mount in channel.mounts.values()),
        "slow_disconnects": sum(mount.relay.counts.slow_disconnects for mount in channel.mounts.values()),
    }
    pushes: list[JsonValue] = [status.as_json() for status in request.app[PUSHES][channel.settings.name]]
    return {**_brief(channel), "controls": controls, "health": health, "pushes": pushes}


def _json(data: Mapping[str, JsonValue]) -> web.Response:
    return web.json_response(data, headers={"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"})
