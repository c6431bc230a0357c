"""Reloading the config while the server runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from radio.errors import RadioError
from radio.server.broadcast.channel_set import ChannelSet, SetChanges
from radio.server.broadcast.listener_limits import BURST, LIMITS
from radio.server.broadcast.pushes import PUSHES, check_keys
from radio.server.http.authorization import AUTHORIZATION, check_hosts
from radio.settings.config import RadioConfig
from radio.settings.server import ServerSettings

_FIXED = ("host", "port", "tracks")
"""Settings of the server that take effect at its next start."""

_log = logging.getLogger("radio.server")


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """The effect of a reload.

    stations: the stations that were added, changed or removed, and those that failed.
    at_next_start: changed settings of the server that take effect at its next start.
    """

    stations: SetChanges
    at_next_start: tuple[str, ...]

    def __str__(self) -> str:
        stations = self.stations
        parts = {
            "added": stations.added,
            "changed": stations.changed,
            "removed": stations.removed,
            "failed": tuple(stations.failed),
            "for the next start": self.at_next_start,
        }
        return (
            "; ".join(f"{part}: {', '.join(names)}" for part, names in parts.items() if names) or "nothing has changed"
        )


class Reloader:
    """A reloader that applies a changed config to a running server.

    Args:
        load: Reads the config. Called in a thread.
        server: The settings that the server was started with.
        channels: The channels of the application.
        app: The application.
        hosts: The addresses or names that the server listens on.
    """

    def __init__(
        self,
        load: Callable[[], RadioConfig],
        server: ServerSettings,
        channels: ChannelSet,
        app: web.Application,
        hosts: Sequence[str],
    ) -> None:
        self.drain = server.drain
        """Time over which listeners are disconnected when the server stops."""
        self._load = load
        self._server = server
        self._channels = channels
        self._app = app
        self._hosts = hosts
        self._lock = asyncio.Lock()

    async def reload(self) -> ReloadResult:
        """Read the config and apply it. Listeners of stations that have not changed notice nothing.

        Raises:
            SettingsError: The config has mistakes; nothing is changed.
        """
        async with self._lock:
            config = await asyncio.to_thread(self._load)
            check_hosts(self._hosts, control=config.server.control, token=config.server.control_token)
            check_keys(config.stations)
            self._configure(config.server)
            changes = await self._channels.apply(config.stations)
            await self._app[PUSHES].apply(self._channels.channels)
            fixed = (name for name in _FIXED if getattr(config.server, name) != getattr(self._server, name))
            result = ReloadResult(changes, tuple(fixed))
        _log.info("reloaded the config: %s", result)
        return result

    async def reload_on_signal(self) -> None:
        """Reload, and log the reason if the config is refused."""
        try:
            await self.reload()
        except RadioError as error:
            _log.error("the reloaded config was refused: %s", error)

    def _configure(self, server: ServerSettings) -> None:
        authorization, limits = self._app[AUTHORIZATION], self._app[LIMITS]
        authorization.control, authorization.token = server.control, server.control_token
        authorization.hosts = server.hosts
        limits.per_station, limits.per_address = server.listeners, server.listeners_per_address
        self._app[BURST].update(server.burst)
        self.drain = server.drain


RELOADER: web.AppKey[Reloader | None] = web.AppKey("reloader")
