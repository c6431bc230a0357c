"""Server-sent events: what airs on a station, as it airs (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from radio.types import Frames, JsonValue, StationEvent

WAITING = 256
"""Events that may wait for one client; one slower than that is dropped."""

SIDS = 4_096
"""Streams whose beginnings are remembered for event streams that are opened later."""


@dataclass(eq=False, slots=True)
class Fan:
    """One client: its encoded events, None being the end, and what closes its connection at once."""

    cut: Callable[[], None]
    sid: str | None = None
    """The stream that this client listens to, by the name it gave it."""
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(WAITING + 1))


class Fans:
    """The clients that follow one station, and where the streams that some of them listen to began."""

    def __init__(self) -> None:
        self._fans: set[Fan] = set()
        self._firsts: OrderedDict[str, Frames] = OrderedDict()

    def __len__(self) -> int:
        return len(self._fans)

    def join(self, cut: Callable[[], None], *, sid: str | None = None) -> Fan:
        """Add a client; `cut` is called when it is too slow."""
        fan = Fan(cut, sid)
        self._fans.add(fan)
        return fan

    def first(self, sid: str) -> Frames | None:
        """The mount's frame that the stream of this name began with; None while it is not known, or no more."""
        return self._firsts.get(sid)

    def begun(self, sid: str, first: Frames, live: Frames) -> None:
        """Note where a stream begins, and tell the clients who listen to it."""
        self._firsts[sid] = first
        self._firsts.move_to_end(sid)
        if len(self._firsts) > SIDS:
            self._firsts.popitem(last=False)
        for fan in [fan for fan in self._fans if fan.sid == sid]:
            self._hand(fan, encoded("stream", {"sid": sid, "first": first, "live": live}))

    def leave(self, fan: Fan) -> None:
        """Remove a client; one that is gone already is no error."""
        self._fans.discard(fan)

    def tell(self, event: StationEvent) -> None:
        """Hand an event to all, waiting for none: who has no room left is cut off."""
        if not self._fans:
            return
        data = encoded(event.kind, {**event.data, "frame": event.frame})
        for fan in list(self._fans):
            self._hand(fan, data)

    def close(self) -> None:
        """End every client's stream."""
        for fan in list(self._fans):
            self._end(fan)

    def _hand(self, fan: Fan, data: bytes) -> None:
        if fan.queue.qsize() < WAITING:
            fan.queue.put_nowait(data)
        else:
            self._end(fan)
            fan.cut()

    def _end(self, fan: Fan) -> None:
        self._fans.discard(fan)
        fan.queue.put_nowait(None)


def encoded(kind: str, data: Mapping[str, JsonValue]) -> bytes:
    """One event as it goes over the line."""
    return f"event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
