"""Taps: the packets of a mount for other parts of the radio, such as HLS and pushes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from radio.errors import StreamError
from radio.stream.relay.ring import Ring
from radio.types import Frames, Packet


class Tap(AsyncIterator[Packet]):
    """An asynchronous iterator over the packets of a mount, starting at frame `start`, as they are released.

    The iteration ends when the mount closes.

    Raises:
        StreamError: the reader is so far behind that the ring no longer holds its next packet.
    """

    def __init__(self, ring: Ring, start: Frames) -> None:
        self._ring = ring
        self._start = start
        self._next: int | None = None
        self._packets: deque[Packet] = deque()
        self._released = asyncio.Event()
        self._closed = False

    async def __anext__(self) -> Packet:
        while not self._packets:
            if self._closed:
                raise StopAsyncIteration
            if not self._read_chunk():
                self._released.clear()
                await self._released.wait()
        return self._packets.popleft()

    def wake(self) -> None:
        """Signal that packets were released."""
        self._released.set()

    def close(self) -> None:
        """End the iteration."""
        self._closed = True
        self._released.set()

    def _read_chunk(self) -> bool:
        """Queue the packets of the next chunk and return True; return False if it has not been released yet."""
        ring = self._ring
        number = ring.find(self._start) if self._next is None else self._next
        if number >= ring.edge:
            return False
        if number < ring.oldest:
            raise StreamError("the reader of a tap fell behind the oldest audio in the ring")
        self._packets.extend(ring[number].packets)
        self._next = number + 1
        return True
