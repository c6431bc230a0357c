"""The pushes of the stations on the air: started with the front, stopped with it, and how each of them fares."""

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
"""How the pushes of each station fare, in the order of its settings."""


def pusher(channel: Channel, settings: PushSettings) -> Pusher:
    """What sends a channel's music somewhere, when it is run."""
    station = channel.settings
    image = station.image or ARTWORK
    pushed = PushedStation(channel, station.title, station.description, image, channel.now_playing.title_at)
    return Pusher(settings, pushed)


def add_pushes(app: web.Application, channels: Mapping[str, Channel]) -> None:
    """Have the stations pushed for as long as the application runs.

    Raises:
        SettingsError: Pushes have no key, and which. What is missing now would be missing at night.
    """
    pushers = {name: [pusher(channel, each) for each in channel.settings.push] for name, channel in channels.items()}
    _check_keys(channels)
    app[PUSHES] = {name: tuple(each.status for each in those) for name, those in pushers.items()}

    async def run(_: web.Application) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(each.run()) for those in pushers.values() for each in those]
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
