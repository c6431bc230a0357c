"""The channels on the air: started and stopped together, and changed one by one when the config is reloaded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from radio.errors import RadioError, ServerError
from radio.server.broadcast.channel import Channel
from radio.settings.station import StationSettings
from radio.types import Frames, Seconds

_DRAIN_INTERVAL: Seconds = 0.1

_HANDOVER: Final[Seconds] = 6.0
"""Audio that listeners get early when the server stops, in addition to the time over which they are disconnected.

It lasts until another server has started.
"""

_log = logging.getLogger("radio.server")


@dataclass(frozen=True, slots=True)
class SetChanges:
    """The effect of new settings on a set of channels: names of stations, and the reason for each failure."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


class ChannelSet:
    """The channels of a server, by name, in the order of the config.

    Args:
        stations: The settings to begin with.
        open_channel: Makes a channel from settings, without starting it.
    """

    def __init__(
        self, stations: Mapping[str, StationSettings], open_channel: Callable[[StationSettings], Channel]
    ) -> None:
        self._open_channel = open_channel
        self._channels = {name: open_channel(settings) for name, settings in stations.items()}
        self._starting: set[Channel] = set()
        """Channels that `apply` is about to add."""
        self._stopped = False
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._started = asyncio.Event()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.channels: Mapping[str, Channel] = MappingProxyType(self._channels)
        """A view that reflects changes of the set."""

    async def start(self) -> None:
        """Start all channels, and return when each has been opened or has failed.

        A failure is logged. The station plays textures until a later attempt succeeds.
        """
        results = await asyncio.gather(*(self._start(channel) for channel in self._channels.values()))
        for error in results:
            if error is not None:
                _log.error("%s; it plays textures until it can", error)
        for name, channel in self._channels.items():
            self._watch(name, channel)
        self._started.set()

    async def ended(self) -> None:
        """Wait until cancelled; raise the unexpected error of a channel."""
        await self._failure

    async def stop(self) -> None:
        """Disconnect all listeners and end all workers. A change in progress adds no further channels."""
        self._stopped = True
        for watcher in self._watchers.values():
            watcher.cancel()
        await asyncio.gather(*(channel.stop() for channel in (*self._channels.values(), *self._starting)))
        self._failure.cancel()

    def progress(self) -> Frames:
        """Return a number that grows as long as any station is on the air."""
        return sum(channel.edge.live for channel in self._channels.values())

    async def drain(self, seconds: Seconds) -> None:
        """Disconnect all listeners gradually within `seconds`, so that they do not all reconnect at the same time.

        They first get a few seconds of the reserve, which they play until another server takes over.
        """
        for channel in self._channels.values():
            channel.release_ahead(_HANDOVER + seconds)
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while mounts := [mount for channel in self._channels.values() for mount in channel.mounts.values()]:
            waiting = sum(mount.relay.listeners for mount in mounts)
            ticks = max(1, round((end - loop.time()) / _DRAIN_INTERVAL))
            share = -(-waiting // ticks)
            for mount in mounts:
                share -= mount.relay.send_away(share, wait=ticks > 1)
            if not waiting or ticks == 1:
                return
            await asyncio.sleep(_DRAIN_INTERVAL)

    async def apply(self, stations: Mapping[str, StationSettings]) -> SetChanges:
        """Change the set to `stations`: add, change and remove channels, while the others keep playing.

        Wait for `start` to finish first. A channel that cannot start is left out and named in the result.

        Raises:
            ServerError: The set has been stopped.
        """
        await self._started.wait()
        changed: list[str] = []
        failed: dict[str, str] = {}
        for name, settings in stations.items():
            if name in self._channels and settings != self._channels[name].settings:
                changed.append(name)
                try:
                    await self._channels[name].reconfigure(settings)
                except RadioError as error:
                    failed[name] = str(error)
        removed = [name for name in self._channels if name not in stations]
        for name in removed:
            self._watchers.pop(name).cancel()
            await self._channels[name].save_state()  # a client that gets 404 after this may copy the state
            await self._channels.pop(name).stop()
        added = []
        for name in [name for name in stations if name not in self._channels]:
            if (fault := await self._add(name, stations[name])) is None:
                added.append(name)
            else:
                _log.error("%s", fault)
                failed[name] = str(fault)
        self._sort(list(stations))
        return SetChanges(tuple(added), tuple(changed), tuple(removed), failed)

    async def _start(self, channel: Channel) -> ServerError | None:
        """Start a channel, and return the error if it cannot be started."""
        try:
            await channel.start()
        except ServerError as error:
            return error
        return None

    async def _add(self, name: str, settings: StationSettings) -> ServerError | None:
        """Start and add a channel. If it cannot be started, return the error."""
        if self._stopped:
            raise ServerError("the radio is stopping")
        channel = self._open_channel(settings)
        self._starting.add(channel)
        try:
            if (error := await self._start(channel)) is None:
                self._channels[name] = channel
                self._watch(name, channel)
        finally:
            self._starting.remove(channel)
            if name not in self._channels:
                await channel.stop()
        return error

    def _sort(self, order: list[str]) -> None:
        in_order = {name: self._channels[name] for name in order if name in self._channels}
        self._channels.clear()
        self._channels.update(in_order)

    def _watch(self, name: str, channel: Channel) -> None:
        def on_done(watcher: asyncio.Task[None]) -> None:
            if not watcher.cancelled() and (error := watcher.exception()) and not self._failure.done():
                self._failure.set_exception(error)

        self._watchers[name] = asyncio.create_task(channel.ended())
        self._watchers[name].add_done_callback(on_done)
