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
class Subscriber:
    """One client: its encoded events, None being the end, and what closes its connection at once."""

    cut: Callable[[], None]
    sid: str | None = None
    """The stream that this client listens to, by the name it gave it."""
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(WAITING + 1))


class Subscribers:
    """The clients that follow one station, and where the streams that some of them listen to began."""

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._firsts: OrderedDict[str, Frames] = OrderedDict()

    def __len__(self) -> int:
        return len(self._subscribers)

    def join(self, cut: Callable[[], None], *, sid: str | None = None) -> Subscriber:
        """Add a client; `cut` is called when it is too slow."""
        subscriber = Subscriber(cut, sid)
        self._subscribers.add(subscriber)
        return subscriber

    def first_frame(self, sid: str) -> Frames | None:
        """The mount's frame that the stream of this name began with; None while it is not known, or no more."""
        return self._firsts.get(sid)

    def record_stream_start(self, sid: str, first: Frames, live: Frames) -> None:
        """Note where a stream begins, and tell the clients who listen to it."""
        self._firsts[sid] = first
        self._firsts.move_to_end(sid)
        if len(self._firsts) > SIDS:
            self._firsts.popitem(last=False)
        for subscriber in [subscriber for subscriber in self._subscribers if subscriber.sid == sid]:
            self._hand(subscriber, encoded("stream", {"sid": sid, "first": first, "live": live}))

    def leave(self, subscriber: Subscriber) -> None:
        """Remove a client; one that is gone already is no error."""
        self._subscribers.discard(subscriber)

    def publish(self, event: StationEvent) -> None:
        """Hand an event to all, waiting for none: who has no room left is cut off."""
        if not self._subscribers:
            return
        data = encoded(event.kind, {**event.data, "frame": event.frame})
        for subscriber in list(self._subscribers):
            self._hand(subscriber, data)

    def close(self) -> None:
        """End every client's stream."""
        for subscriber in list(self._subscribers):
            self._end(subscriber)

    def _hand(self, subscriber: Subscriber, data: bytes) -> None:
        if subscriber.queue.qsize() < WAITING:
            subscriber.queue.put_nowait(data)
        else:
            self._end(subscriber)
            subscriber.cut()

    def _end(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)
        subscriber.queue.put_nowait(None)


def encoded(kind: str, data: Mapping[str, JsonValue]) -> bytes:
    """One event as it goes over the line."""
    return f"event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
