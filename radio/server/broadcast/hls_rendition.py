"""A rendition of a station for HLS. It runs from the first request until there are no more, or its channel stops."""

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
from radio.stream.formats.hls import Playlist, Segment, Segmenter
from radio.stream.formats.hls_timeline import Timeline
from radio.types import SAMPLE_RATE, Format, Frames, Packet, Seconds

HISTORY: Seconds = 30.0
"""Age of the first segment, so that the first request is answered immediately and players can fill their buffers."""

FIRST_SEGMENT_TIMEOUT: Seconds = 12.0
"""Longest time that a request waits for the first segment: three target durations."""

IDLE_TIMEOUT: Seconds = 60.0
"""Segmenting ends after this time without a request: a player that pauses longer has lost its place in the list."""

_JITTER: Frames = SAMPLE_RATE // 4
"""Upper bound on the distance from the last packet of a tap to the live edge."""

_REOPEN_DELAY: Seconds = 1.0
"""Wait between a tap that fell behind and the next one."""


class Rendition:
    """A segmenter of one mount. It runs until it is idle or closed, or its channel stops; then a new one is needed.

    Args:
        channel: The station.
        format_: The mount.
        track: The codec of its packets.
        timeline: Returns the timeline that the channel's renditions share; called for each packet.
        on_end: Called with this object when it has ended.
    """

    def __init__(
        self,
        channel: Channel,
        format_: Format,
        track: Mp4Track,
        timeline: Callable[[], Timeline],
        on_end: Callable[[Rendition], None],
    ) -> None:
        self.ended = False
        self._channel = channel
        self._format: Format = format_
        self._track = track
        self._timeline = timeline
        self._segmenter: Segmenter | None = None
        self._playlist: Playlist | None = None
        self._ready = asyncio.Event()
        self._last_request = time.monotonic()
        self._on_end = on_end
        self._task = asyncio.create_task(self._segment())
        # A callback rather than a `finally` in the coroutine: that never runs if it is cancelled before its first step.
        self._task.add_done_callback(lambda _: self._end())
        self._log = logging.getLogger(f"radio.station.{channel.settings.name}")

    async def playlist(self) -> Playlist:
        """Return the playlist, with at least one segment. The first call waits until the past is segmented.

        Raises:
            ServerError: No segment was ready in time.
        """
        self._last_request = time.monotonic()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_SEGMENT_TIMEOUT):
                await self._ready.wait()
        if self._playlist is None:
            name = self._channel.settings.name
            raise ServerError(f"{name} has no audio yet; try again in a few seconds")
        return self._playlist

    def file(self, name: str) -> bytes | None:
        """Return an initialization segment or a segment, or None if it is not available."""
        self._last_request = time.monotonic()
        return self._playlist.file(name) if self._playlist else None

    async def close(self) -> None:
        """Stop segmenting; requests that wait for a segment fail."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _segment(self) -> None:
        while True:
            try:
                async with self._channel.tap(self._format, history=HISTORY) as tap:
                    async for packet in tap:
                        self._add_packet(packet)
                        if time.monotonic() - self._last_request > IDLE_TIMEOUT:
                            break
            except StreamError as error:
                self._log.warning("station '%s': HLS: %s", self._channel.settings.name, error)
                await asyncio.sleep(_REOPEN_DELAY)
            else:
                return  # it is idle, or its channel has stopped

    def _end(self) -> None:
        self.ended = True
        self._ready.set()
        self._on_end(self)

    def _add_packet(self, packet: Packet) -> None:
        timeline = self._timeline()
        timeline.observe(live=self._channel.edge.live, at=time.time())
        base = timeline.base(packet.frame)
        if self._segmenter is None:
            self._segmenter = Segmenter(self._track, base=base)
        self._segmenter.move(base)
        if segment := self._segmenter.feed(packet):
            self._add_segment(segment, timeline)

    def _add_segment(self, segment: Segment, timeline: Timeline) -> None:
        if self._playlist is None:
            token = secrets.token_hex(4)
            self._playlist = Playlist(self._track, token=token, discontinuities=timeline.discontinuities)
        self._playlist.add(segment)
        # A rendition that starts later begins with a discontinuity, which brings its number up to that of the others.
        timeline.discontinuities = max(timeline.discontinuities, self._playlist.discontinuities - 1)
        live = self._channel.edge.live
        behind = timeline.base(live) + live - segment.time - segment.frames
        if behind < hls.SEGMENT_FRAMES + _JITTER:
            self._ready.set()
