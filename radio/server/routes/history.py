"""`/api/stations/{station}/history`: the last tracks, and everything needed to compose them again."""

from __future__ import annotations

import asyncio
import math
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from radio.server.api.body import encode
from radio.server.api.history import History
from radio.server.broadcast.channel import Channel
from radio.server.broadcast.channels import channel_of
from radio.server.broadcast.now_playing import MAX_TRACKS
from radio.server.broadcast.worker_runs import history
from radio.server.http.allowance import Allowance
from radio.server.http.authorization import AUTHORIZATION
from radio.server.http.client_address import client_address
from radio.server.http.operation import operation
from radio.server.http.problems import ProblemError
from radio.server.http.query import QueryParameter
from radio.types import Frames, Seconds

GUEST_REQUESTS: Final = 60
"""Requests that a guest may send per minute. A response may be a megabyte, and take 30 ms to build."""

MAX_AGE: Final[Seconds] = 1.0
"""Time for which equal requests share a response, unless something changes."""

_DEFAULT_LIMIT: Final = 50

_LIMIT: Final = QueryParameter[int](
    "limit",
    Annotated[int, Meta(description=f"Largest number of tracks. [{_DEFAULT_LIMIT}]", ge=1, le=MAX_TRACKS)],
    _DEFAULT_LIMIT,
)
_BEFORE: Final = QueryParameter[Frames | None](
    "before",
    Annotated[int, Meta(description="Only tracks that began before this frame, for the next page.", ge=0)],
    None,
)


class Answers:
    """A cache of the responses of the last second, in which only the live edge may be outdated."""

    def __init__(self) -> None:
        self.allowance = Allowance(GUEST_REQUESTS, 60.0)
        self._answers: dict[tuple[int | str | None, ...], asyncio.Task[bytes]] = {}

    async def get(self, channel: Channel, limit: int, before: Frames | None) -> bytes:
        run, tracks = channel.runs[-1] if channel.runs else None, channel.now_playing.tracks
        state = (run.number, run.version) if run else ()
        key = (channel.settings.name, limit, before, tracks[-1].frame if tracks else None, *state)
        if key not in self._answers:
            self._answers[key] = asyncio.create_task(self._make(channel, limit, before))
            asyncio.get_running_loop().call_later(MAX_AGE, self._answers.pop, key, None)
        return await asyncio.shield(self._answers[key])

    async def _make(self, channel: Channel, limit: int, before: Frames | None) -> bytes:
        tracks, runs, live = channel.now_playing.tracks, channel.runs, channel.edge.live
        body = history(tracks, runs, live=live, limit=limit, before=before)
        return await asyncio.to_thread(encode, body)


ANSWERS: web.AppKey[Answers] = web.AppKey("history", Answers)


def routes() -> list[web.RouteDef]:
    """Return the route of the history."""
    return [web.get("/api/stations/{station}/history", get_history)]


def attach(app: web.Application) -> None:
    """Add the cache of responses and the limit of guests to the application."""
    app[ANSWERS] = Answers()


@operation(
    "List the last tracks",
    tag="stations",
    answer=History,
    query=(_LIMIT, _BEFORE),
    problems={429: "The client has reached the limit of guests, or sent many wrong tokens."},
)
async def get_history(request: web.Request) -> web.Response:
    """List the last tracks, newest first.

    Each track has everything needed to compose it again: the seed of the worker's run, the number of the track's first
    bar, the controls when it began, and the changes while it played. `runs` has everything that the music of each
    worker's run depends on: its checkpoints, its settings and all control changes since its first bar. A client without
    the control token may send 60 requests per minute.
    """
    channel, limit, before = channel_of(request), _LIMIT.read(request), _BEFORE.read(request)
    answers = request.app[ANSWERS]
    if not request.app[AUTHORIZATION].is_operator(request):
        address = client_address(request)
        if wait := answers.allowance.wait(address, 1):
            message = f"your address has sent {GUEST_REQUESTS} requests within a minute, which is the limit"
            raise ProblemError(429, "too_many", message, retry_after=math.ceil(wait))
        answers.allowance.spend(address, 1)
    body = await answers.get(channel, limit, before)
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=body, headers=headers, content_type="application/json", charset="utf-8")
