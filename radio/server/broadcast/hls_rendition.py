"""One rendition of a station for HLS, from the first request for it until nobody has asked for a while."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable

from radio.errors import ServerError, StreamError
from radio.server.broadcast.channel import Channel
from radio.stream.formats import hls
from radio.stream.formats.fmp4 import Mp4Track
from radio.stream.formats.hls import Playlist, Segment, Segmenter, Timeline
from radio.types import SAMPLE_RATE, Format, Frames, Packet, Seconds

HISTORY: Seconds = 30.0
"""How old the first segment is: the first request is answered at once, and players can fill their buffers."""

PATIENCE: Seconds = 12.0
"""How long a request waits for the first segment: three targets."""

IDLE: Seconds = 60.0
"""Without a request for this long segmenting ends. As long as the list: a player that paused longer lost its place."""

_JITTER: Frames = SAMPLE_RATE // 4
"""More than the live edge is ahead of the last packet that a tap has given."""

_AGAIN: Seconds = 1.0
"""Between the end of a tap and the next one."""


class Rendition:
    """Segments a mount from now on, until idle or closed; then another one must take its place.

    Args:
        channel: The station.
        format_: The mount.
        track: What its packets are.
        timeline: Called when the first of them is there; shared by the station's renditions.
    """

    def __init__(self, channel: Channel, format_: Format, track: Mp4Track, timeline: Callable[[], Timeline]) -> None:
        self.over = False
        self._channel = channel
        self._format: Format = format_
        self._track = track
        self._timeline = timeline
        self._segmenter: Segmenter | None = None
        self._playlist: Playlist | None = None
        self._ready = asyncio.Event()
        self._asked = time.monotonic()
        self._task = asyncio.create_task(self._segment())
        self._log = logging.getLogger(f"radio.station.{channel.settings.name}")

    async def playlist(self) -> Playlist:
        """All segments that there are, one at least; the first call waits for it, or for all that the past gives.

        Raises:
            ServerError: Not even the first segment came in time.
        """
        self._asked = time.monotonic()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._ready.wait()
        if self._playlist is None:
            name = self._channel.settings.name
            raise ServerError(f"{name} has nothing to play yet; try again in a few seconds")
        return self._playlist

    def file(self, name: str) -> bytes | None:
        """An init segment or a segment, if it is there; nothing is waited for."""
        self._asked = time.monotonic()
        return self._playlist.file(name) if self._playlist else None

    async def close(self) -> None:
        """Stop segmenting; who waits for a segment is let go."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _segment(self) -> None:
        try:
            while not self.over:
                try:
                    async with self._channel.tap(self._format, history=HISTORY) as tap:
                        async for packet in tap:
                            self._take(packet)
                            if time.monotonic() - self._asked > IDLE:
                                self.over = True
                                return
                except StreamError as error:
                    self._log.warning("station '%s': HLS: %s", self._channel.settings.name, error)
                await asyncio.sleep(_AGAIN)
        finally:
            self.over = True
            self._ready.set()

    def _take(self, packet: Packet) -> None:
        if self._segmenter is None:
            self._segmenter = Segmenter(self._track, base=self._timeline().base)
        if segment := self._segmenter.feed(packet):
            self._list(segment, self._timeline())

    def _list(self, segment: Segment, timeline: Timeline) -> None:
        if self._playlist is None:
            token = secrets.token_hex(4)
            self._playlist = Playlist(self._track, token=token, discontinuities=timeline.discontinuities)
        self._playlist.add(segment)
        # A rendition that begins later begins with a discontinuity of its own, to the number that the others are at.
        timeline.discontinuities = max(timeline.discontinuities, self._playlist.discontinuities - 1)
        behind = timeline.base + self._channel.edge.live - segment.time - segment.frames
        if behind < hls.SEGMENT_FRAMES + _JITTER:
            self._ready.set()
