"""The pushes of all stations, which run as long as the application and follow reloads of the config."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from aiohttp import web

from radio.errors import SettingsError
from radio.paths import ARTWORK
from radio.push.destinations import PushedStation
from radio.push.pusher import Pusher
from radio.push.status import PushStatus
from radio.server.broadcast.channel import Channel
from radio.settings.push import PushSettings
from radio.settings.station import StationSettings


def pusher(channel: Channel, settings: PushSettings) -> Pusher:
    """Return a pusher of a channel to one server, not yet running."""
    return Pusher(settings, _pushed_station(channel, settings))


def _pushed_station(channel: Channel, settings: PushSettings) -> PushedStation:
    """Return a channel as a push presents it, without the parts that the server does not show."""
    station, picture = channel.settings, settings.to.has_picture
    return PushedStation(
        channel,
        station.title,
        "" if picture else station.description,
        (station.image if picture else None) or ARTWORK,
        channel.now_playing.title_at,
    )


@dataclass(frozen=True, slots=True)
class _Push:
    """A running push."""

    settings: PushSettings
    station: PushedStation
    status: PushStatus
    task: asyncio.Task[None]


class PushSet:
    """The running pushes of all stations."""

    def __init__(self) -> None:
        self._pushes: dict[str, list[_Push]] = {}

    def statuses(self, station: str) -> tuple[PushStatus, ...]:
        """Return the states of a station's pushes, in the order of its settings."""
        return tuple(push.status for push in self._pushes.get(station, ()))

    def all_statuses(self) -> Mapping[str, tuple[PushStatus, ...]]:
        """Return the states of all pushes by station."""
        return {station: self.statuses(station) for station in self._pushes}

    async def apply(self, channels: Mapping[str, Channel]) -> None:
        """Start and stop pushes to match the settings of `channels`; the others keep running.

        A push is restarted if the title, description or picture that the server shows has changed.
        """
        before = {station: list(pushes) for station, pushes in self._pushes.items()}
        wanted = {
            name: [
                (channel, settings, _take(before.get(name, []), channel, settings))
                for settings in channel.settings.push
            ]
            for name, channel in channels.items()
        }
        # The old ones end first, since a server accepts one stream per key or mount.
        await _stop([push for pushes in before.values() for push in pushes])
        self._pushes = {
            name: [push or _start(channel, settings) for channel, settings, push in pushes]
            for name, pushes in wanted.items()
        }

    async def stop(self) -> None:
        """Stop all pushes."""
        await _stop([push for pushes in self._pushes.values() for push in pushes])


PUSHES: web.AppKey[PushSet] = web.AppKey("pushes", PushSet)
"""The pushes of the application."""


def add_pushes(app: web.Application, channels: Mapping[str, Channel]) -> None:
    """Push the stations while the application runs.

    Raises:
        SettingsError: Keys of pushes cannot be read; all of them are named.
    """
    check_keys({name: channel.settings for name, channel in channels.items()})
    pushes = app[PUSHES] = PushSet()

    async def run(_: web.Application) -> AsyncIterator[None]:
        await pushes.apply(channels)
        yield
        await pushes.stop()

    app.cleanup_ctx.append(run)


def check_keys(stations: Mapping[str, StationSettings]) -> None:
    """Check that the keys of all pushes can be read.

    Raises:
        SettingsError: Keys cannot be read; all of them are named.
    """
    problems = []
    for name, station in stations.items():
        for settings in station.push:
            try:
                settings.secrets()
            except SettingsError as error:
                problems.append(f"{name}: push to {settings.to}: {error}")
    if problems:
        raise SettingsError(problems)


def _start(channel: Channel, settings: PushSettings) -> _Push:
    station = _pushed_station(channel, settings)
    sender = Pusher(settings, station)
    return _Push(settings, station, sender.status, asyncio.create_task(sender.run()))


def _take(pushes: list[_Push], channel: Channel, settings: PushSettings) -> _Push | None:
    """Remove the running push of these settings from `pushes` and return it, if there is one."""
    station = _pushed_station(channel, settings)
    for push in pushes:
        if (push.settings, push.station) == (settings, station):
            pushes.remove(push)
            return push
    return None


async def _stop(pushes: list[_Push]) -> None:
    for push in pushes:
        push.task.cancel()
    await asyncio.gather(*(push.task for push in pushes), return_exceptions=True)
