"""What is on and what can be turned, as JSON: `/api/stations` and below."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from radio.artwork import palette
from radio.controls import CONTROLS
from radio.server import history
from radio.server.channel import Channel
from radio.server.events import encoded
from radio.server.listen import EndlessResponse
from radio.server.now import TRACKS
from radio.server.problems import ProblemError
from radio.server.query import sid_of, whole
from radio.server.stations import CHANNELS, channel_of
from radio.stream.connection import limit_buffers
from radio.types import SAMPLE_RATE, JsonValue, Seconds

KEEP_ALIVE: Seconds = 15.0
"""A comment goes to a silent event stream this often, so that proxies leave it open."""

MAX_BODY = 16 * 1024
"""Bytes of a request's body; every control at once fits many times."""


@dataclass(frozen=True, slots=True)
class Keeper:
    """Who may turn the controls: nobody when `control` is off, else whoever has the token, if there is one."""

    control: bool
    token: str | None

    @property
    def asks(self) -> str:
        """What a page may offer: `off`, `token` where one is asked for, `open` where nothing is."""
        return "off" if not self.control else "open" if self.token is None else "token"

    def admit(self, request: web.Request) -> None:
        """Raise ProblemError 403 or 401 unless this request may change a station."""
        if not self.control:
            raise ProblemError(403, "control_off", "the controls of this radio are switched off")
        if self.token is None:
            return
        given = request.headers.get("Authorization", "").encode(errors="surrogateescape")  # any bytes may come
        if not hmac.compare_digest(given, f"Bearer {self.token}".encode()):
            message = "controls need the token of this radio: send 'Authorization: Bearer <control_token>'"
            raise ProblemError(401, "no_token", message, field="Authorization", allowed="Bearer <control_token>")


KEEPER: web.AppKey[Keeper] = web.AppKey("keeper", Keeper)


def routes() -> list[web.RouteDef]:
    """The addresses under /api."""
    return [
        web.get("/api/stations", stations),
        web.get("/api/stations/{station}", station),
        web.patch("/api/stations/{station}/controls", change),
        web.get("/api/stations/{station}/events", events),
        web.get("/api/stations/{station}/history", past),
    ]


async def stations(request: web.Request) -> web.Response:
    """Every station in short, and whether the controls can be turned."""
    found: list[JsonValue] = [_brief(channel) for channel in request.app[CHANNELS].values()]
    return _json({"stations": found, "control": request.app[KEEPER].asks})


async def station(request: web.Request) -> web.Response:
    """One station in full."""
    return _json(_full(channel_of(request)))


async def change(request: web.Request) -> web.Response:
    """Change controls, all of them or none; say from which bar and frame each new value is heard at the live edge."""
    channel = channel_of(request)
    request.app[KEEPER].admit(request)
    patch = await _patch(request)
    landings = await channel.change(patch)
    values = channel.controls.as_json()
    controls: dict[str, JsonValue] = {
        name: {"value": values[name], "bar": landing.bar, "frame": landing.frame} for name, landing in landings.items()
    }
    return _json({"controls": controls, "live": channel.relay.live, "sample_rate": SAMPLE_RATE})


async def past(request: web.Request) -> web.Response:
    """The last tracks, newest first, with what is needed to compose each again."""
    channel = channel_of(request)
    limit = whole(request, "limit", 1, TRACKS, default=TRACKS)
    live = channel.relay.live
    found = history.as_json(channel.now.tracks, channel.lives, live=live, limit=limit)
    return _json({**found, "live": live, "sample_rate": SAMPLE_RATE})


async def events(request: web.Request) -> web.StreamResponse:
    """Server-sent events, each with the mount's `frame` at which it is heard.

    The first one, of kind `now`, is the station in full, with its `recent` tracks, bars and notes. With `?sid=`, the
    name under which a stream of the station is opened too, one of kind `stream` tells the frame that the stream begins
    with, so that a page can show a title when it is heard.
    """
    channel, sid = channel_of(request), sid_of(request)
    response = EndlessResponse({"Content-Type": "text/event-stream", "Access-Control-Allow-Origin": "*"})
    await response.prepare(request)
    transport = request.transport
    if request.method == "HEAD" or transport is None or transport.is_closing():
        return response
    limit_buffers(transport)
    fan = channel.fans.join(transport.abort, sid=sid)
    data: bytes | None = encoded("now", {**_full(channel), "recent": channel.now.recent()})
    if sid is not None and (first := channel.fans.first(sid)) is not None:
        channel.fans.begun(sid, first, channel.relay.live)
    try:
        while data is not None:
            await response.write(data)
            try:
                async with asyncio.timeout(KEEP_ALIVE):
                    data = await fan.queue.get()
            except TimeoutError:
                data = b": still here\n\n"
    except ConnectionError:
        pass
    finally:
        channel.fans.leave(fan)
    return response


def _brief(channel: Channel) -> dict[str, JsonValue]:
    settings, relay = channel.settings, channel.relay
    return {
        "name": settings.name,
        "title": settings.title,
        "description": settings.description,
        "on_air": relay.on_air,
        "now": channel.now.as_json(),
        "live": relay.live,
        "sample_rate": SAMPLE_RATE,
        "listeners": relay.listeners,
        "art": {"image": f"/{settings.name}/artwork.svg", "hue": palette(settings).hue},
        "streams": {"opus": f"/{settings.name}.opus"},
    }


def _full(channel: Channel) -> dict[str, JsonValue]:
    values, defaults = channel.controls.as_json(), channel.settings.controls.as_json()
    counts = channel.relay.counts
    controls: dict[str, JsonValue] = {
        name: {
            "value": values[name],
            "default": defaults[name],
            "kind": control.kind,
            "low": control.low,
            "high": control.high,
            "unit": control.unit,
            "lands": control.lands,
            "help": control.help,
            "allowed": control.allowed,
        }
        for name, control in CONTROLS.items()
    }
    health: dict[str, JsonValue] = {
        "reserve": round(channel.relay.reserve, 3),
        "underruns": counts.underruns,
        "late": round(counts.late, 3),
        "restarts": channel.restarts,
        "joined": counts.joined,
        "slow_disconnects": counts.slow_disconnects,
    }
    return {**_brief(channel), "controls": controls, "health": health}


async def _patch(request: web.Request) -> Mapping[str, JsonValue]:
    body = await request.read()
    try:
        # Python's reader knows NaN, JSON does not; a body nested too deep is no better.
        patch = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, "bad_json", f"the body is not JSON: {error}") from error
    if not isinstance(patch, dict) or not patch:
        allowed = 'an object of controls and their values, such as {"tempo": 78}'
        raise ProblemError(422, "not_allowed", f"the body is not {allowed}", field="body", allowed=allowed)
    return cast("dict[str, JsonValue]", patch)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _json(data: Mapping[str, JsonValue]) -> web.Response:
    return web.json_response(data, headers={"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"})
