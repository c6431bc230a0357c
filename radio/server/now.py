"""What is on: the tracks and bars that the live edge has reached."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from radio.types import JsonValue, StationEvent

_BARS = 32
"""More bars than the ring holds at 110 BPM, so that whoever hears a burst finds the bar it began in."""


@dataclass(slots=True)
class Now:
    """Built from events in the order in which they air; remembers enough for listeners who are a burst behind."""

    tracks: deque[StationEvent] = field(default_factory=lambda: deque(maxlen=2))
    bars: deque[StationEvent] = field(default_factory=lambda: deque(maxlen=_BARS))
    since: str | None = None

    def aired(self, event: StationEvent, at: float) -> None:
        """Take an event that the live edge has reached; `at` is the wall clock's time, in seconds since 1970."""
        if event.kind == "track":
            self.tracks.append(event)
            self.since = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        elif event.kind == "bar":
            self.bars.append(event)

    def as_json(self) -> dict[str, JsonValue]:
        """The last track, with `since`, and the last bar; each with all that is known of it and its `frame`."""
        track: JsonValue = {**_stamped(self.tracks[-1]), "since": self.since} if self.tracks else None
        return {"track": track, "bar": _stamped(self.bars[-1]) if self.bars else None}

    def recent(self) -> list[JsonValue]:
        """The last tracks and bars in order, each with its `kind`."""
        events = sorted((*self.tracks, *self.bars), key=lambda event: event.frame)
        return [{**_stamped(event), "kind": event.kind} for event in events]


def _stamped(event: StationEvent) -> dict[str, JsonValue]:
    return {**event.data, "frame": event.frame}
