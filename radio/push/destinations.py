"""What streams to a server once it has let us in: a picture with sound over RTMP, or packets to an Icecast mount."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from radio.errors import StreamError
from radio.push.icecast import IcecastConnection, IcecastMount, update_title
from radio.push.retry import Progress
from radio.push.rtmp.connection import RtmpConnection
from radio.push.rtmp.flv import Tag
from radio.push.video.encoder_process import EncoderProcess
from radio.push.video.messages import EncoderSettings
from radio.settings.push import PushSettings
from radio.settings.push_target import hide
from radio.stream.formats.codecs import CODECS
from radio.stream.formats.muxers import open_muxer
from radio.types import Format, Frames, Packet, Seconds

_log = logging.getLogger("radio.push")

HOUR: Seconds = 3_600.0


class Source(Protocol):
    """Where packets come from: a channel of the front."""

    def tap(self, format_: Format, *, history: Seconds = 0.0) -> AbstractAsyncContextManager[AsyncIterator[Packet]]:
        """A format's packets as they are let out at the live edge."""


@dataclass(frozen=True, slots=True)
class PushedStation:
    """What is pushed."""

    source: Source
    name: str
    """The name that people see."""
    description: str
    image: Path
    """What lies behind the bars of a picture."""
    title_at: Callable[[Frames], str | None]
    """The title of the track that sounds at a frame."""


class Destination(Protocol):
    """One attempt: `connect`, then `stream` until it fails, then `close`."""

    progress: Progress
    format: Format
    """What it wants of the source."""

    async def connect(self) -> None:
        """Return when the server has let us in. Raises StreamError."""

    async def stream(self, packets: AsyncIterator[Packet]) -> None:
        """Send for as long as there are packets. Raises StreamError."""

    def arrived(self) -> int:
        """Bytes that the server's system has acknowledged."""

    async def close(self) -> None:
        """Leave the server."""


class RtmpDestination:
    """H.264 and AAC from an encoder in a process of its own, over one connection after the other."""

    format: Format = "pcm"

    def __init__(self, settings: PushSettings, key: str, station: PushedStation) -> None:
        self.progress = Progress()
        self._settings, self._key, self._station = settings, key, station
        self._connection: RtmpConnection | None = None
        self._arrived_before = 0
        self._headers: dict[int, Tag] = {}
        self._due: float | None = None
        """When a new stream is begun, once this one has begun."""

    async def connect(self) -> None:
        self._connection = await RtmpConnection.open(self._settings.to, self._key)
        self._due = None

    async def stream(self, packets: AsyncIterator[Packet]) -> None:
        video, station = self._settings.video, self._station
        size = (video.width, video.height)
        settings = EncoderSettings(*size, video.fps, video.bitrate, str(station.image), station.name)
        async with EncoderProcess.started(settings) as encoder:
            await run_until_one_ends(self._feed(packets, encoder), self._send(encoder))

    def arrived(self) -> int:
        return self._arrived_before + (self._connection.arrived() if self._connection else 0)

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
            self.progress.put_in(time.monotonic())
            await encoder.add_samples(packet.data)

    async def _send(self, encoder: EncoderProcess) -> None:
        async for tag in encoder.tags():
            if tag.is_header:
                self._headers[tag.kind] = tag
            elif tag.is_key and self._due is not None and time.monotonic() >= self._due:
                await self._renew()
            if self._connection is not None:
                await self._connection.send(tag)
            if self._due is None and tag.is_key:
                self._due = time.monotonic() + self._settings.restart_hours * HOUR

    async def _renew(self) -> None:
        """Begin a new stream at a key frame, with what was encoded meanwhile: services end one that lasts too long."""
        self._arrived_before = self.arrived()
        await self.close()
        await self.connect()
        for header in self._headers.values():
            if self._connection is not None:
                await self._connection.send(header)


class IcecastDestination:
    """The packets that listeners of the station get, to a mount of another server."""

    def __init__(self, settings: PushSettings, key: str, station: PushedStation) -> None:
        self.progress = Progress()
        self._settings, self._key, self._station = settings, key, station
        self.format: Format = settings.format
        self._connection: IcecastConnection | None = None

    async def connect(self) -> None:
        station, rate = self._station, CODECS[self.format].bit_rate
        mount = IcecastMount(self._settings.format, station.name, station.description, rate // 1_000)
        self._connection = await IcecastConnection.open(self._settings.to, self._key, mount)

    async def stream(self, packets: AsyncIterator[Packet]) -> None:
        if self.format != "mp3":  # an Ogg stream's titles are at its beginning, and ours never ends
            await self._send(packets, lambda _: None)
            return
        titles: asyncio.Queue[str] = asyncio.Queue()
        await run_until_one_ends(self._send(packets, titles.put_nowait), self._retitle(titles))

    def arrived(self) -> int:
        return self._connection.arrived() if self._connection else 0

    async def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    async def _send(self, packets: AsyncIterator[Packet], retitled: Callable[[str], None]) -> None:
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
                retitled(title)
            first = packet.frame if first is None else first
            self.progress.put_in(time.monotonic())
            for chunk in muxer.add(replace(packet, frame=packet.frame - first)):
                await connection.send(chunk.data)

    async def _retitle(self, titles: asyncio.Queue[str]) -> None:
        """Tell titles on connections of their own; one that is not taken is no reason to end the music."""
        while True:
            title = await titles.get()
            try:
                await update_title(self._settings.to, self._key, f"{self._station.name} - {title}")
            except StreamError as error:
                reason = hide(str(error), self._key, self._settings.to.user)
                _log.warning("push to %s: the title was not taken: %s", self._settings.to, reason)


async def run_until_one_ends(*work: Coroutine[object, object, None]) -> None:
    """Do all of it until one part ends or fails, which ends the others."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
