"""Keeps one push alive while its station plays: tries, watches, gives up what stalls, waits, tries again."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from typing import Final

from radio.errors import RadioError, StreamError
from radio.push import retry as pace
from radio.push.destinations import Destination, IcecastDestination, PushedStation, RtmpDestination, run_until_one_ends
from radio.push.status import PushStatus
from radio.settings.push import PushSettings
from radio.settings.push_target import hide
from radio.types import Packet, Seconds

_log = logging.getLogger("radio.push")

_LOOK: Final[Seconds] = 0.5
"""Between two looks at what has arrived."""


class Pusher:
    """One push of one station. Whatever becomes of it, nothing else waits for it.

    Args:
        settings: Where to, and how.
        station: What is pushed.
    """

    def __init__(self, settings: PushSettings, station: PushedStation) -> None:
        self.status = PushStatus(str(settings.to))
        self._settings = settings
        self._station = station
        self._back_off = pace.BackOff(random.random)

    async def run(self) -> None:
        """Push until the station stops; raises nothing but CancelledError."""
        try:
            while True:
                began = time.monotonic()
                key = ""
                try:
                    key = self._settings.key.read()
                    await self._attempt(key)
                    break
                except RadioError as error:
                    reason = str(error)
                except Exception as error:  # noqa: BLE001 — a fault of ours in a push must not become the station's
                    reason = f"{type(error).__name__}: {error}"
                await self._failed(hide(reason, key, self._settings.to.user), time.monotonic() - began)
        finally:
            self.status.turn("ended")

    async def _failed(self, reason: str, lived: Seconds) -> None:
        wait = self._back_off.failed(lived)
        self.status.turn("reconnecting")
        self.status.error = reason
        name = self._station.name
        _log.warning("%s: push to %s: %s; trying again in %.1f s", name, self.status.to, reason, wait)
        await asyncio.sleep(wait)

    async def _attempt(self, key: str) -> None:
        """Connect and stream until the station stops.

        Raises:
            RadioError: Why it ended otherwise.
        """
        kind = RtmpDestination if self._settings.to.has_picture else IcecastDestination
        destination: Destination = kind(self._settings, key, self._station)
        async with self._station.source.tap(destination.format) as tap:
            # No server is asked to wait for a station that is not playing yet.
            async for first in tap:
                await self._stream(destination, _with_first(first, tap))
                return

    async def _stream(self, destination: Destination, packets: AsyncIterator[Packet]) -> None:
        before = self.status.sent
        self.status.attempts += 1
        try:
            await destination.connect()
            self.status.connections += 1
            self.status.turn("connected")
            _log.info("%s: push to %s: connected", self._station.name, self.status.to)
            await run_until_one_ends(destination.stream(packets), self._watch(destination, before))
        finally:
            await destination.close()

    async def _watch(self, destination: Destination, before: int) -> None:
        """Count what arrives.

        Raises:
            StreamError: Nothing has arrived for too long, though there was something to send.
        """
        while True:
            await asyncio.sleep(_LOOK)
            arrived = destination.arrived()
            self.status.sent = before + arrived
            destination.progress.came_out(arrived)
            if destination.progress.stalled(time.monotonic()):
                raise StreamError(f"nothing has gone out for {pace.STALL_TIMEOUT:g} s")


async def _with_first(first: Packet, rest: AsyncIterator[Packet]) -> AsyncIterator[Packet]:
    """The packets from one on that has been taken already."""
    yield first
    async for packet in rest:
        yield packet
