"""`/api/stations` and below: the current music, controls and events."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

from aiohttp import web
from msgspec import UNSET, Meta

from radio.server.api.controls import ControlEvent, ControlPatch
from radio.server.api.events import BarEvent, PlayedNoteEvent, StreamStartEvent, TrackEvent, encode_event
from radio.server.api.station import (
    ActionLanding,
    LandedControl,
    Landings,
    NowEvent,
    SectionChange,
    Station,
    Stations,
    StreamStart,
)
from radio.server.broadcast.channels import CHANNELS, channel_of
from radio.server.broadcast.pushes import PUSHES
from radio.server.http.authorization import AUTHORIZATION
from radio.server.http.body import read_body
from radio.server.http.operation import operation
from radio.server.http.query import SID, QueryParameter
from radio.server.http.request_log import log_change, log_controls
from radio.server.http.responses import json_response
from radio.server.routes.listen import EndlessResponse
from radio.server.routes.station_bodies import now_event, station_body, station_summary
from radio.server.routes.tracks import TRACK_JOBS
from radio.stream.relay.connection import limit_buffers
from radio.types import SAMPLE_RATE, SKIP, Action, Seconds

KEEP_ALIVE: Seconds = 15.0
"""Interval of comments in a silent event stream, so that proxies keep it open."""

_HEADERS: Final = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}

_TRACK: Final = QueryParameter[int | None](
    "track",
    Annotated[int, Meta(description="`number` of one of the last eight tracks; the current one by default.", ge=0)],
    None,
)

_RESTARTING: Final = {503: "The station is being restarted."}
_NO_MUSIC: Final = {503: "The station is being restarted, or cannot play its music."}


def routes() -> list[web.RouteDef]:
    """Return the routes below /api/stations."""
    return [
        web.get("/api/stations", get_stations),
        web.get("/api/stations/{station}", get_station),
        web.patch("/api/stations/{station}/controls", change_controls),
        web.post("/api/stations/{station}/skip", skip_track),
        web.post("/api/stations/{station}/section", change_section),
        web.post("/api/stations/{station}/like", like_track),
        web.post("/api/stations/{station}/dislike", dislike_track),
        web.post("/api/stations/{station}/reset", reset_taste),
        web.get("/api/stations/{station}/events", follow_events),
    ]


@operation("List all stations", tag="stations", answer=Stations)
async def get_stations(request: web.Request) -> web.Response:
    """List all stations.

    The response also says whether clients may change controls and order tracks.
    """
    body = Stations(
        stations=[station_summary(channel) for channel in request.app[CHANNELS].values()],
        control=request.app[AUTHORIZATION].mode,
        tracks=request.app[TRACK_JOBS] is not None,
    )
    return json_response(body, headers=_HEADERS)


@operation("Describe one station", tag="stations", answer=Station, query=(SID,))
async def get_station(request: web.Request) -> web.Response:
    """Describe one station in full.

    With `sid`, `stream` has the `first` frame of the audio stream that was opened with the same `sid`.
    """
    channel, sid = channel_of(request), SID.read(request)
    stream = UNSET if sid is None else StreamStart(sid, channel.subscribers.first_frame(sid))
    body = station_body(channel, request.app[PUSHES].statuses(channel.settings.name), stream=stream)
    return json_response(body, headers=_HEADERS)


@operation(
    "Change controls",
    tag="control",
    body=ControlPatch,
    answer=Landings,
    guarded=True,
    problems=_RESTARTING,
)
async def change_controls(request: web.Request) -> web.Response:
    """Change controls.

    The response has the bar and frame from which each new value is audible: controls of the music take effect at a bar
    line, controls of the mix immediately. While the station cannot play its music, both are null: the change takes
    effect where the music resumes. If a value is not allowed, nothing is changed.
    """
    channel = channel_of(request)
    request.app[AUTHORIZATION].require(request)
    patch = await read_body(request, ControlPatch, example='{"tempo": 78}')
    landings = await channel.change_controls(patch)
    log_controls(request, channel.settings.name, patch)
    values = channel.controls.as_json()
    controls = {
        name: LandedControl.of(values[name], landings.get(name))  # type: ignore[arg-type]  # no control is a list
        for name in patch
    }
    return json_response(Landings(controls, channel.edge.live, SAMPLE_RATE), headers=_HEADERS)


@operation("Begin the next track", tag="control", answer=ActionLanding, guarded=True, problems=_NO_MUSIC)
async def skip_track(request: web.Request) -> web.Response:
    """Begin the next track.

    It begins at the next bar that is not composed yet. This ends a hold. The response has this bar and its frame.
    """
    return await _act(request, SKIP)


@operation(
    "Begin the next section, or hold this loop",
    tag="control",
    body=SectionChange,
    answer=ActionLanding,
    guarded=True,
    problems=_NO_MUSIC,
)
async def change_section(request: web.Request) -> web.Response:
    """Begin the next section, or hold this loop.

    `next` begins the next section of the track, or the next track after the last section, at the next bar that is not
    composed yet. `hold` repeats the loop of this section until `release`, after which the track continues where it was,
    or until `next` or a skip.
    """
    request.app[AUTHORIZATION].require(request)
    change = await read_body(request, SectionChange, example='{"action": "next"}')
    return await _act(request, Action(change.action))


@operation("Like a track", tag="control", answer=ActionLanding, query=(_TRACK,), guarded=True, problems=_NO_MUSIC)
async def like_track(request: web.Request) -> web.Response:
    """Like a track: later ones resemble it more often, and its phrase returns.

    Its texture, instruments, form and tempo become more likely, by a factor of four at most. The response has the bar
    and frame of the first track that this affects.
    """
    return await _act(request, Action("like", _TRACK.read(request)))


@operation("Dislike a track", tag="control", answer=ActionLanding, query=(_TRACK,), guarded=True, problems=_NO_MUSIC)
async def dislike_track(request: web.Request) -> web.Response:
    """Dislike a track: later ones resemble it less often, and its phrase does not return."""
    return await _act(request, Action("dislike", _TRACK.read(request)))


@operation("Forget likes and dislikes", tag="control", answer=ActionLanding, guarded=True, problems=_NO_MUSIC)
async def reset_taste(request: web.Request) -> web.Response:
    """Forget likes and dislikes, and draw tracks by the station's settings again."""
    return await _act(request, Action("reset"))


async def _act(request: web.Request, action: Action) -> web.Response:
    channel = channel_of(request)
    request.app[AUTHORIZATION].require(request)
    landing = await channel.act(action)
    log_change(request, f"station '{channel.settings.name}': {action.kind}")
    body = ActionLanding(bar=landing.bar, frame=landing.frame, live=channel.edge.live, sample_rate=SAMPLE_RATE)
    return json_response(body, headers=_HEADERS)


@operation(
    "Follow the events of a station",
    tag="stations",
    media=("text/event-stream",),
    events={
        "now": NowEvent,
        TrackEvent.kind: TrackEvent,
        BarEvent.kind: BarEvent,
        PlayedNoteEvent.kind: PlayedNoteEvent,
        ControlEvent.kind: ControlEvent,
        StreamStartEvent.kind: StreamStartEvent,
    },
    query=(SID,),
    endless=True,
)
async def follow_events(request: web.Request) -> web.StreamResponse:
    """Send server-sent events (WHATWG HTML, section 9.2).

    The first event, `now`, is the full station with its recent tracks, bars and notes. It is followed by `track`,
    `bar`, `note` and `control` events as they air, each with the `frame` at which it is audible. With `sid`, a `stream`
    event has the first frame of the audio stream that was opened with the same `sid`, so that a page can show a title
    when its listener hears the track.
    """
    channel, sid = channel_of(request), SID.read(request)
    response = EndlessResponse({"Content-Type": "text/event-stream", "Access-Control-Allow-Origin": "*"})
    await response.prepare(request)
    transport = request.transport
    if request.method == "HEAD" or transport is None or transport.is_closing():
        return response
    limit_buffers(transport)
    subscriber = channel.subscribers.join(transport.abort, sid=sid)
    data: bytes | None = encode_event("now", now_event(channel, request.app[PUSHES].statuses(channel.settings.name)))
    if sid is not None and (first := channel.subscribers.first_frame(sid)) is not None:
        channel.record_stream_start(sid, first)
    try:
        while data is not None:
            await response.write(data)
            try:
                async with asyncio.timeout(KEEP_ALIVE):
                    data = await subscriber.queue.get()
            except TimeoutError:
                data = b": keep-alive\n\n"
    except ConnectionError:
        pass
    finally:
        channel.subscribers.leave(subscriber)
    return response
