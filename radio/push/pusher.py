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
from radio.push.destinations import IcecastOutlet, Outlet, Programme, RtmpOutlet, first_to_end
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
        programme: What is pushed.
    """

    def __init__(self, settings: PushSettings, programme: Programme) -> None:
        self.status = PushStatus(str(settings.to))
        self._settings = settings
        self._programme = programme
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
        name = self._programme.station
        _log.warning("%s: push to %s: %s; trying again in %.1f s", name, self.status.to, reason, wait)
        await asyncio.sleep(wait)

    async def _attempt(self, key: str) -> None:
        """Connect and stream until the station stops.

        Raises:
            RadioError: Why it ended otherwise.
        """
        kind = RtmpOutlet if self._settings.to.has_picture else IcecastOutlet
        outlet: Outlet = kind(self._settings, key, self._programme)
        async with self._programme.source.tap(outlet.format) as tap:
            # No server is asked to wait for a station that is not playing yet.
            async for first in tap:
                await self._stream(outlet, _with_first(first, tap))
                return

    async def _stream(self, outlet: Outlet, packets: AsyncIterator[Packet]) -> None:
        before = self.status.sent
        self.status.attempts += 1
        try:
            await outlet.connect()
            self.status.connections += 1
            self.status.turn("connected")
            _log.info("%s: push to %s: connected", self._programme.station, self.status.to)
            await first_to_end(outlet.stream(packets), self._watch(outlet, before))
        finally:
            await outlet.close()

    async def _watch(self, outlet: Outlet, before: int) -> None:
        """Count what arrives.

        Raises:
            StreamError: Nothing has arrived for too long, though there was something to send.
        """
        while True:
            await asyncio.sleep(_LOOK)
            arrived = outlet.arrived()
            self.status.sent = before + arrived
            outlet.progress.came_out(arrived)
            if outlet.progress.stalled(time.monotonic()):
                raise StreamError(f"nothing has gone out for {pace.STALL:g} s")


async def _with_first(first: Packet, rest: AsyncIterator[Packet]) -> AsyncIterator[Packet]:
    """The packets from one on that has been taken already."""
    yield first
    async for packet in rest:
        yield packet
