"""The events of a station's music that are rendered but not on the air yet."""

from __future__ import annotations

import time
from collections import deque
from itertools import chain

from radio.server.api.events import AirEvent, BarEvent
from radio.server.broadcast.event_stream import Subscribers
from radio.server.broadcast.journal import Journal
from radio.server.broadcast.now_playing import NowPlaying
from radio.types import Frames


class EventQueue:
    """A queue of events that wait for the live edge, and the objects that receive them when they air.

    All frames are on the channel's clock.
    """

    def __init__(self) -> None:
        self.now_playing = NowPlaying()
        self.journal = Journal()
        self.subscribers = Subscribers()
        self._pending: deque[AirEvent] = deque()

    def add(self, event: AirEvent) -> None:
        """Add a rendered event. It airs unless it is retracted."""
        self._pending.append(event)
        self.now_playing.announce(event)

    def air(self, live: Frames) -> None:
        """Air the events before `live`."""
        while self._pending and self._pending[0].frame < live:
            event = self._pending.popleft()
            self.now_playing.air(event, time.time())
            self.journal.add(event)
            self.subscribers.publish(event)

    def retract(self, frame: Frames) -> None:
        """Drop the waiting events at `frame` and later, which others will replace."""
        self._pending = deque(event for event in self._pending if event.frame < frame)
        self.now_playing.retract(frame)

    def bar_lines(self, first: Frames) -> list[Frames]:
        """Return the frames of the known bar lines, from `first` onward, in order."""
        aired = (bar.frame for bar in self.journal.bars)
        waiting = (event.frame for event in self._pending if isinstance(event, BarEvent))
        return [frame for frame in chain(aired, waiting) if frame >= first]
