"""The pushes of all stations: they run as long as the application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from radio.errors import SettingsError
from radio.paths import ARTWORK
from radio.push.destinations import PushedStation
from radio.push.pusher import Pusher
from radio.push.status import PushStatus
from radio.server.broadcast.channel import Channel
from radio.settings.push import PushSettings

PUSHES: web.AppKey[Mapping[str, tuple[PushStatus, ...]]] = web.AppKey("pushes")
"""The states of each station's pushes, in the order of its settings."""


def pusher(channel: Channel, settings: PushSettings) -> Pusher:
    """Return the pusher of a channel to one server; it starts when it is run."""
    station = channel.settings
    image = station.image or ARTWORK
    pushed = PushedStation(channel, station.title, station.description, image, channel.now_playing.title_at)
    return Pusher(settings, pushed)


def add_pushes(app: web.Application, channels: Mapping[str, Channel]) -> None:
    """Push the stations while the application runs.

    Raises:
        SettingsError: Keys of pushes cannot be read; all of them are named.
    """
    pushers = {
        name: [pusher(channel, settings) for settings in channel.settings.push] for name, channel in channels.items()
    }
    _check_keys(channels)
    app[PUSHES] = {name: tuple(item.status for item in items) for name, items in pushers.items()}

    async def run(_: web.Application) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(item.run()) for items in pushers.values() for item in items]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    app.cleanup_ctx.append(run)


def _check_keys(channels: Mapping[str, Channel]) -> None:
    problems = []
    for name, channel in channels.items():
        for settings in channel.settings.push:
            try:
                settings.key.read()
            except SettingsError as error:
                problems.append(f"{name}: push to {settings.to}: {error}")
    if problems:
        raise SettingsError(problems)
