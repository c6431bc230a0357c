"""Server-sent events: what airs on a station, as it airs (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from radio.types import JsonValue, StationEvent

WAITING = 256
"""Events that may wait for one client; one slower than that is dropped."""


class Fans:
    """The clients that follow one station, each with its own bounded queue."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[bytes | None]] = set()

    def join(self) -> asyncio.Queue[bytes | None]:
        """A new client's queue of encoded events; None in it is the end."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING)
        self._queues.add(queue)
        return queue

    def leave(self, queue: asyncio.Queue[bytes | None]) -> None:
        """Remove a client; one that is gone already is no error."""
        self._queues.discard(queue)

    def tell(self, event: StationEvent) -> None:
        """Hand an event to all, waiting for none: who has no room left is cut off."""
        if not self._queues:
            return
        data = encoded(event.kind, {**event.data, "frame": event.frame})
        for queue in list(self._queues):
            if queue.full():
                self._end(queue)
            else:
                queue.put_nowait(data)

    def close(self) -> None:
        """Cut everybody off."""
        for queue in list(self._queues):
            self._end(queue)

    def _end(self, queue: asyncio.Queue[bytes | None]) -> None:
        self._queues.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)


def encoded(kind: str, data: Mapping[str, JsonValue]) -> bytes:
    """One event as it goes over the line."""
    return f"event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
