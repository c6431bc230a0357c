"""Server-sent events: the events of a station, sent to every subscriber when they air."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from radio.server.api.events import AirEvent, StreamStartEvent, encode_event
from radio.types import Frames

MAX_QUEUED = 256
"""Events that may wait for a subscriber before it is disconnected as too slow."""

MAX_STREAMS = 4_096
"""Streams whose first frames are remembered for event streams opened later."""


@dataclass(eq=False, slots=True)
class Subscriber:
    """A client of the event stream, with a queue of encoded events that `None` ends.

    disconnect: closes the client's connection immediately.
    sid: name of the audio stream that the client plays.
    """

    disconnect: Callable[[], None]
    sid: str | None = None
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(MAX_QUEUED + 1))


class Subscribers:
    """The event stream clients of one station, and the first frames of the audio streams that they play."""

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._first_frames: OrderedDict[str, Frames] = OrderedDict()
        self._closed = False

    def __len__(self) -> int:
        return len(self._subscribers)

    def join(self, disconnect: Callable[[], None], *, sid: str | None = None) -> Subscriber:
        """Add a client; `disconnect` is called if it is too slow. After `close`, its event stream ends immediately."""
        subscriber = Subscriber(disconnect, sid)
        self._subscribers.add(subscriber)
        if self._closed:
            self._end(subscriber)
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """Remove a client if it is still present."""
        self._subscribers.discard(subscriber)

    def first_frame(self, sid: str) -> Frames | None:
        """Return the first frame of a stream, or None if it is unknown or no longer remembered."""
        return self._first_frames.get(sid)

    def record_stream_start(self, sid: str, first: Frames, live: Frames) -> None:
        """Remember the first frame of a stream, and send it to the clients that play the stream."""
        self._first_frames[sid] = first
        self._first_frames.move_to_end(sid)
        if len(self._first_frames) > MAX_STREAMS:
            self._first_frames.popitem(last=False)
        data = encode_event(StreamStartEvent.kind, StreamStartEvent(sid, first, live))
        for subscriber in [subscriber for subscriber in self._subscribers if subscriber.sid == sid]:
            self._queue(subscriber, data)

    def publish(self, event: AirEvent) -> None:
        """Queue an event for every client, and disconnect clients whose queue is full."""
        if not self._subscribers:
            return
        data = encode_event(event.kind, event)
        for subscriber in list(self._subscribers):
            self._queue(subscriber, data)

    def close(self) -> None:
        """End the event stream of every client, and of those that join later."""
        self._closed = True
        for subscriber in list(self._subscribers):
            self._end(subscriber)

    def _queue(self, subscriber: Subscriber, data: bytes) -> None:
        if subscriber.queue.qsize() < MAX_QUEUED:
            subscriber.queue.put_nowait(data)
        else:
            self._end(subscriber)
            subscriber.disconnect()

    def _end(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)
        subscriber.queue.put_nowait(None)
