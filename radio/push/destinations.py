"""Destinations of a push: video and audio over RTMP, or audio packets to an Icecast mount."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from radio.errors import StreamError
from radio.push.icecast import IcecastConnection, IcecastMount, update_title
from radio.push.retry import StallDetector
from radio.push.rtmp.connection import RtmpConnection
from radio.push.rtmp.flv import Tag
from radio.push.video.encoder_process import EncoderProcess
from radio.push.video.messages import EncoderSettings
from radio.settings.push import PushSettings
from radio.settings.push_target import Secrets
from radio.stream.formats.codecs import CODECS
from radio.stream.formats.muxers import open_muxer
from radio.types import Format, Frames, Packet, Seconds

_log = logging.getLogger("radio.push")

HOUR: Seconds = 3_600.0

TITLE_WAITS: tuple[Seconds, ...] = (1.0, 2.0, 4.0, 8.0)
"""Waits before each attempt to resend a rejected title."""


class PacketSource(Protocol):
    """A source of packets: a channel of the server."""

    def tap(self, format_: Format, *, history: Seconds = 0.0) -> AbstractAsyncContextManager[AsyncIterator[Packet]]:
        """Return the packets of a format as they are released at the live edge."""


@dataclass(frozen=True, slots=True)
class PushedStation:
    """A station as presented by its pushes."""

    source: PacketSource
    name: str
    """The name shown to viewers and listeners."""
    description: str
    image: Path
    """The background of the video."""
    title_at: Callable[[Frames], str | None]
    """Returns the title of the track playing at a frame."""


class Destination(Protocol):
    """One attempt to stream to a server: `connect`, then `stream` until it fails, then `close`."""

    stall: StallDetector
    format: Format
    """The format of the packets to stream."""

    async def connect(self) -> None:
        """Connect, and return when the server has accepted the stream. Raise StreamError if it does not."""

    async def stream(self, packets: AsyncIterator[Packet]) -> None:
        """Send packets until they end. Raise StreamError when the connection fails."""

    def acknowledged(self) -> int:
        """Return the number of bytes that the server's system has acknowledged."""

    async def close(self) -> None:
        """Disconnect from the server."""


class RtmpDestination:
    """A stream of H.264 and AAC from an encoder process, over one or more successive RTMP connections."""

    format: Format = "pcm"

    def __init__(self, settings: PushSettings, secrets: Secrets, station: PushedStation) -> None:
        self.stall = StallDetector()
        self._settings, self._secrets, self._station = settings, secrets, station
        self._connection: RtmpConnection | None = None
        self._acknowledged_before = 0
        """Bytes acknowledged on earlier connections."""
        self._headers: dict[int, Tag] = {}
        self._restart_at: float | None = None
        """Monotonic time of the next planned restart, set at the first key frame of the current stream."""

    async def connect(self) -> None:
        self._connection = await RtmpConnection.open(self._settings.to, self._secrets)
        self._restart_at = None

    async def stream(self, packets: AsyncIterator[Packet]) -> None:
        video, station = self._settings.video, self._station
        settings = EncoderSettings(
            video.width, video.height, video.fps, video.bitrate, str(station.image), station.name
        )
        async with EncoderProcess.started(settings) as encoder:
            await run_until_one_ends(self._feed(packets, encoder), self._send(encoder))

    def acknowledged(self) -> int:
        return self._acknowledged_before + (self._connection.acknowledged() if self._connection else 0)

    async def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    async def _feed(self, packets: AsyncIterator[Packet], encoder: EncoderProcess) -> None:
        shown: str | None = None
        async for packet in packets:
            title = self._station.title_at(packet.frame)
            if title != shown:
                shown = title
                await encoder.set_title(title or "")
            self.stall.on_input(time.monotonic())
            await encoder.add_samples(packet.data)

    async def _send(self, encoder: EncoderProcess) -> None:
        async for tag in encoder.tags():
            if tag.is_header:
                self._headers[tag.kind] = tag
            elif tag.is_key and self._restart_at is not None and time.monotonic() >= self._restart_at:
                await self._restart()
            if self._connection is not None:
                await self._connection.send(tag)
            if self._restart_at is None and tag.is_key:
                self._restart_at = time.monotonic() + self._settings.restart_hours * HOUR

    async def _restart(self) -> None:
        """Start a new stream before a key frame, because services end streams that last too long.

        The encoder keeps running during the restart, and its output waits in the pipe.
        """
        self._acknowledged_before = self.acknowledged()
        await self.close()
        await self.connect()
        for header in self._headers.values():
            if self._connection is not None:
                await self._connection.send(header)


class IcecastDestination:
    """A stream of the station's Opus or MP3 packets to a mount of an Icecast server."""

    def __init__(self, settings: PushSettings, secrets: Secrets, station: PushedStation) -> None:
        self.stall = StallDetector()
        self._settings, self._secrets, self._station = settings, secrets, station
        self.format: Format = settings.format
        self._connection: IcecastConnection | None = None

    async def connect(self) -> None:
        station, bit_rate = self._station, CODECS[self.format].bit_rate
        mount = IcecastMount(self._settings.format, station.name, station.description, bit_rate // 1_000)
        self._connection = await IcecastConnection.open(self._settings.to, self._secrets.key, mount)

    async def stream(self, packets: AsyncIterator[Packet]) -> None:
        if self.format != "mp3":  # an Ogg stream has a title only in its first pages
            await self._send(packets, lambda _: None)
            return
        titles: asyncio.Queue[str] = asyncio.Queue()
        await run_until_one_ends(self._send(packets, titles.put_nowait), self._update_titles(titles))

    def acknowledged(self) -> int:
        return self._connection.acknowledged() if self._connection else 0

    async def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    async def _send(self, packets: AsyncIterator[Packet], on_title: Callable[[str], None]) -> None:
        station, connection = self._station, self._connection
        if connection is None:
            raise StreamError("there is no connection to send to")
        muxer = open_muxer(self.format, title=station.name, description=station.description)
        await connection.send(muxer.headers)
        shown: str | None = None
        first: Frames | None = None
        async for packet in packets:
            title = station.title_at(packet.frame)
            if title and title != shown:
                shown = title
                on_title(title)
            first = packet.frame if first is None else first
            self.stall.on_input(time.monotonic())
            for chunk in muxer.add(replace(packet, frame=packet.frame - first)):
                await connection.send(chunk.data)

    async def _update_titles(self, titles: asyncio.Queue[str]) -> None:
        """Send each title over a separate connection. Retry a rejected title unless there is a newer one.

        A server may not know the mount until some time after it has accepted the source. A rejected title does not end
        the stream.
        """
        while True:
            title = await titles.get()
            for wait in (*TITLE_WAITS, None):
                while not titles.empty():
                    title = titles.get_nowait()
                try:
                    await update_title(self._settings.to, self._secrets.key, f"{self._station.name} - {title}")
                    break
                except StreamError as error:
                    if wait is None:
                        reason = self._secrets.hide(str(error), self._settings.to.user)
                        _log.warning("push to %s: the title could not be updated: %s", self._settings.to, reason)
                        break
                await asyncio.sleep(wait)


async def run_until_one_ends(*coroutines: Coroutine[object, object, None]) -> None:
    """Run coroutines concurrently until one returns or raises; cancel the others."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        # A cancellation that arrives now interrupts only this wait: the tasks still finish their cleanup.
        await asyncio.shield(asyncio.gather(*tasks, return_exceptions=True))
    for task in done:
        task.result()
