"""A mount's packets for another part of the radio: an HLS segmenter, a push."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from radio.errors import StreamError
from radio.stream.relay.ring import Ring
from radio.types import Frames, Packet


class Tap(AsyncIterator[Packet]):
    """An offset in the ring. Iterating gives each packet once it has been let out, from frame `start` on.

    The iteration ends when the station stops, and raises StreamError when its reader is further behind than the ring
    keeps, which waits for nobody.
    """

    def __init__(self, ring: Ring, start: Frames) -> None:
        self._ring = ring
        self._start = start
        self._next: int | None = None
        self._packets: deque[Packet] = deque()
        self._woken = asyncio.Event()
        self._closed = False

    async def __anext__(self) -> Packet:
        while not self._packets:
            if self._closed:
                raise StopAsyncIteration
            if not self._take():
                self._woken.clear()
                await self._woken.wait()
        return self._packets.popleft()

    def wake(self) -> None:
        """Something has been let out."""
        self._woken.set()

    def close(self) -> None:
        """End the iteration."""
        self._closed = True
        self._woken.set()

    def _take(self) -> bool:
        """The packets of the next chunk, if it has been let out."""
        ring = self._ring
        number = ring.at(self._start) if self._next is None else self._next
        if number >= ring.edge:
            return False
        if number < ring.oldest:
            raise StreamError("the reader of a tap fell behind by more than the ring keeps")
        self._packets.extend(ring[number].packets)
        self._next = number + 1
        return True
