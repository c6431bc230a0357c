"""Events of a station's music between their rendering and the live edge."""

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
    """Events that wait until the live edge reaches them, and the places that they go to then.

    All frames are on the channel's clock.
    """

    def __init__(self) -> None:
        self.now_playing = NowPlaying()
        self.journal = Journal()
        self.subscribers = Subscribers()
        self._pending: deque[AirEvent] = deque()

    def add(self, event: AirEvent) -> None:
        """Add an event that is rendered; it airs unless it is retracted."""
        self._pending.append(event)
        self.now_playing.announce(event)

    def air(self, live: Frames) -> None:
        """Let the events before `live` air."""
        while self._pending and self._pending[0].frame < live:
            event = self._pending.popleft()
            self.now_playing.air(event, time.time())
            self.journal.add(event)
            self.subscribers.publish(event)

    def retract(self, frame: Frames) -> None:
        """Drop the waiting events at `frame` and later: others take their place."""
        self._pending = deque(event for event in self._pending if event.frame < frame)
        self.now_playing.retract(frame)

    def bar_lines(self, first: Frames) -> list[Frames]:
        """Return the frames of the bar lines that are known, from `first` on, in order."""
        aired = (bar.frame for bar in self.journal.bars)
        waiting = (event.frame for event in self._pending if isinstance(event, BarEvent))
        return [frame for frame in chain(aired, waiting) if frame >= first]
