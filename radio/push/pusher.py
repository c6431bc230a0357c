"""A push, which connects, streams, detects stalls, and reconnects after a wait."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from typing import Final

from radio.errors import RadioError, StreamError
from radio.push import retry
from radio.push.destinations import Destination, IcecastDestination, PushedStation, RtmpDestination, run_until_one_ends
from radio.push.status import PushStatus
from radio.settings.push import PushSettings
from radio.settings.push_target import Secrets
from radio.types import Packet, Seconds

_log = logging.getLogger("radio.push")

_POLL_INTERVAL: Final[Seconds] = 0.5
"""Time between readings of the acknowledged bytes."""


class Pusher:
    """A push of a station. A failure affects neither the station nor other pushes.

    Args:
        settings: The server, the key and the format.
        station: The station to push.
    """

    def __init__(self, settings: PushSettings, station: PushedStation) -> None:
        self.status = PushStatus(str(settings.to))
        self._settings = settings
        self._station = station
        self._back_off = retry.BackOff(random.random)

    async def run(self) -> None:
        """Push until the station stops. Raise no exceptions except CancelledError."""
        try:
            while True:
                started = time.monotonic()
                secrets = Secrets("")
                try:
                    secrets = self._settings.secrets()
                    await self._attempt(secrets)
                    break
                except RadioError as error:
                    reason = str(error)
                except Exception as error:  # noqa: BLE001 — a bug in a push must not stop the station
                    reason = f"{type(error).__name__}: {error}"
                await self._wait_after(secrets.hide(reason, self._settings.to.user), time.monotonic() - started)
        finally:
            self.status.set_state("ended")

    async def _wait_after(self, reason: str, uptime: Seconds) -> None:
        """Log a failed attempt and wait before the next one."""
        wait = self._back_off.next_wait(uptime)
        self.status.set_state("reconnecting")
        self.status.error = reason
        _log.warning("%s: push to %s: %s; trying again in %.1f s", self._station.name, self.status.to, reason, wait)
        await asyncio.sleep(wait)

    async def _attempt(self, secrets: Secrets) -> None:
        """Connect and stream until the station stops.

        Raises:
            RadioError: The connection failed or ended.
        """
        kind = RtmpDestination if self._settings.to.has_picture else IcecastDestination
        destination: Destination = kind(self._settings, secrets, self._station)
        async with self._station.source.tap(destination.format) as packets:
            # Connect only when there is something to send: the station may still be loading.
            async for first in packets:
                await self._stream(destination, _with_first(first, packets))
                return

    async def _stream(self, destination: Destination, packets: AsyncIterator[Packet]) -> None:
        sent_before = self.status.sent
        self.status.attempts += 1
        try:
            await destination.connect()
            self.status.connections += 1
            self.status.set_state("connected")
            _log.info("%s: push to %s: connected", self._station.name, self.status.to)
            await run_until_one_ends(destination.stream(packets), self._watch(destination, sent_before))
        finally:
            await destination.close()

    async def _watch(self, destination: Destination, sent_before: int) -> None:
        """Update the number of acknowledged bytes until the connection stalls.

        Raises:
            StreamError: The connection has stalled.
        """
        while True:
            await asyncio.sleep(_POLL_INTERVAL)
            acknowledged = destination.acknowledged()
            self.status.sent = sent_before + acknowledged
            destination.stall.on_acknowledged(acknowledged)
            if destination.stall.is_stalled(time.monotonic()):
                raise StreamError(f"the server has acknowledged nothing for {retry.STALL_TIMEOUT:g} s")


async def _with_first(first: Packet, rest: AsyncIterator[Packet]) -> AsyncIterator[Packet]:
    """Yield `first`, then the rest."""
    yield first
    async for packet in rest:
        yield packet
