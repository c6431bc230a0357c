"""What is on, what was, and what comes: tracks and bars with the mount's frame at which they start."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from radio.types import SAMPLE_RATE, Frames, JsonValue, StationEvent

TRACKS = 256
"""Tracks that are remembered: nine hours or so."""

_BARS = 32
"""More bars than the ring holds at 110 BPM, so that whoever hears a burst finds the bar it began in."""

_NOTES = 1024
"""More notes than a burst holds, so that a page has those that its listener is about to hear."""

_NOTED: Frames = 30 * SAMPLE_RATE
"""How far back notes are told: a burst, and what a page still shows of what was heard."""

_RECENT = 2
"""Tracks of which one is heard somewhere within a burst."""


@dataclass(slots=True)
class AiredTrack:
    """A track on the air: when and where it started, and what the station said of it."""

    frame: Frames
    data: Mapping[str, JsonValue]
    started: float
    """Seconds since 1970."""
    bar: int | None = None
    """The number of its first bar, in the run of its worker."""

    @property
    def title(self) -> str:
        return str(self.data["title"])

    def as_json(self) -> dict[str, JsonValue]:
        return {**self.data, "frame": self.frame, "started_at": stamp(self.started)}


@dataclass(slots=True)
class NowPlaying:
    """Built from events: announced as they are rendered, seconds early, and aired as the live edge reaches them."""

    tracks: deque[AiredTrack] = field(default_factory=lambda: deque(maxlen=TRACKS))
    """Those that have started, the one that is on last."""
    bars: deque[StationEvent] = field(default_factory=lambda: deque(maxlen=_BARS))
    notes: deque[StationEvent] = field(default_factory=lambda: deque(maxlen=_NOTES))
    coming: deque[StationEvent] = field(default_factory=deque)
    """The tracks that are rendered and have not started."""

    def announce(self, event: StationEvent) -> None:
        """Take an event that is rendered and will air, unless `retract` removes it first."""
        if event.kind == "track":
            self.coming.append(event)

    def retract(self, frame: Frames) -> None:
        """Take back what was announced for `frame` and later: it will never air."""
        self.coming = deque(event for event in self.coming if event.frame < frame)

    def air(self, event: StationEvent, at: float) -> None:
        """Take an event that the live edge has reached; `at` is the wall clock's time, in seconds since 1970."""
        if event.kind == "track":
            self.tracks.append(AiredTrack(event.frame, event.data, at))
            while self.coming and self.coming[0].frame <= event.frame:
                self.coming.popleft()
        elif event.kind == "bar":
            self.bars.append(event)
            number = event.data.get("number")
            if self.tracks and self.tracks[-1].frame == event.frame and isinstance(number, int):
                self.tracks[-1].bar = number
        elif event.kind == "note":
            self.notes.append(event)

    def titles_between(self, start: Frames, end: Frames) -> list[tuple[Frames, str]]:
        """The titles that begin at `start` ≤ frame < `end`, announced ones too, each with its frame, in order."""
        starts = [(track.frame, track.title) for track in self.tracks]
        starts += [(event.frame, str(event.data["title"])) for event in self.coming]
        return [(frame, title) for frame, title in starts if start <= frame < end]

    def title_at(self, frame: Frames) -> str | None:
        """The title of the track that sounds at `frame`; None before the first that is remembered."""
        for event in reversed(self.coming):
            if event.frame <= frame:
                return str(event.data["title"])
        for track in reversed(self.tracks):
            if track.frame <= frame:
                return track.title
        return None

    def as_json(self) -> dict[str, JsonValue]:
        """The last track and the last bar; each with all that is known of it and its `frame`."""
        track: JsonValue = self.tracks[-1].as_json() if self.tracks else None
        return {"track": track, "bar": _stamped(self.bars[-1]) if self.bars else None}

    def recent(self) -> list[JsonValue]:
        """The last tracks, bars and notes in order, each with its `kind`."""
        found: list[tuple[Frames, dict[str, JsonValue]]] = []
        found += [(track.frame, {**track.as_json(), "kind": "track"}) for track in list(self.tracks)[-_RECENT:]]
        found += [(bar.frame, {**_stamped(bar), "kind": "bar"}) for bar in self.bars]
        if self.notes:
            since = self.notes[-1].frame - _NOTED
            notes = (note for note in self.notes if note.frame > since)
            found += [(note.frame, {**_stamped(note), "kind": "note"}) for note in notes]
        return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def stamp(at: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _stamped(event: StationEvent) -> dict[str, JsonValue]:
    return {**event.data, "frame": event.frame}
