"""The channels of the application, and the channel of a request."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from radio.errors import did_you_mean
from radio.server.broadcast.channel import Channel
from radio.server.http.problems import ProblemError

CHANNELS: web.AppKey[Mapping[str, Channel]] = web.AppKey("channels")


def channel_of(request: web.Request) -> Channel:
    """Return the channel of the request's `{station}`. Raise ProblemError 404, with the closest name, if unknown."""
    name = request.match_info["station"]
    channels = request.app[CHANNELS]
    if name not in channels:
        message = f"there is no station '{name}'.{did_you_mean(name, list(channels))}"
        raise ProblemError(404, "unknown_station", message, field="station", allowed=", ".join(channels))
    return channels[name]
