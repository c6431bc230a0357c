"""Server-sent events: what airs on a station, as it airs (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from radio.types import JsonValue, StationEvent

WAITING = 256
"""Events that may wait for one client; one slower than that is dropped."""


@dataclass(eq=False, slots=True)
class Fan:
    """One client: its encoded events, None being the end, and what closes its connection at once."""

    cut: Callable[[], None]
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(WAITING + 1))


class Fans:
    """The clients that follow one station."""

    def __init__(self) -> None:
        self._fans: set[Fan] = set()

    def join(self, cut: Callable[[], None]) -> Fan:
        """Add a client; `cut` is called when it is too slow."""
        fan = Fan(cut)
        self._fans.add(fan)
        return fan

    def leave(self, fan: Fan) -> None:
        """Remove a client; one that is gone already is no error."""
        self._fans.discard(fan)

    def tell(self, event: StationEvent) -> None:
        """Hand an event to all, waiting for none: who has no room left is cut off."""
        if not self._fans:
            return
        data = encoded(event.kind, {**event.data, "frame": event.frame})
        for fan in list(self._fans):
            if fan.queue.qsize() < WAITING:
                fan.queue.put_nowait(data)
            else:
                self._end(fan)
                fan.cut()

    def close(self) -> None:
        """End every client's stream."""
        for fan in list(self._fans):
            self._end(fan)

    def _end(self, fan: Fan) -> None:
        self._fans.discard(fan)
        fan.queue.put_nowait(None)


def encoded(kind: str, data: Mapping[str, JsonValue]) -> bytes:
    """One event as it goes over the line."""
    return f"event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
