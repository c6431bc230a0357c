"""The music of a station: its last tracks, bars and notes, and tracks that are rendered but not on the air yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

from msgspec.structs import asdict

from radio.server.api.body import iso_time
from radio.server.api.events import AirEvent, BarEvent, PlayedNoteEvent, TrackEvent
from radio.server.api.station import CurrentMusic, RecentBar, RecentEvent, RecentNote, RecentTrack, Track
from radio.types import SAMPLE_RATE, Frames

MAX_TRACKS = 256
"""Tracks remembered: about nine hours."""

_MAX_BARS = 32
"""More bars than a burst holds at 110 BPM, so that a listener finds the bar in which its burst begins."""

_MAX_NOTES = 1024
"""More notes than a burst holds, so that a page has the notes that its listener will hear next."""

_NOTE_HISTORY: Frames = 30 * SAMPLE_RATE
"""Age of the oldest recent note: a burst plus the past that a page still shows."""

_RECENT_TRACKS = 2
"""Tracks in `recent`. A burst begins in one of them."""


@dataclass(slots=True)
class AiredTrack:
    """A track that has started.

    started: seconds since 1970.
    bar: number of its first bar in the worker's run.
    """

    event: TrackEvent
    started: float
    bar: int | None = None

    @property
    def frame(self) -> Frames:
        return self.event.frame

    @property
    def title(self) -> str:
        return self.event.title

    def body(self) -> Track:
        return Track(**asdict(self.event), started_at=iso_time(self.started))


@dataclass(slots=True)
class NowPlaying:
    """The state of a station's music, built from events.

    Events are announced when they are rendered, seconds early, and air when the live edge reaches them.

    tracks: tracks that have started, the current one last.
    coming: tracks that are rendered but have not started.
    """

    tracks: deque[AiredTrack] = field(default_factory=lambda: deque(maxlen=MAX_TRACKS))
    bars: deque[BarEvent] = field(default_factory=lambda: deque(maxlen=_MAX_BARS))
    notes: deque[PlayedNoteEvent] = field(default_factory=lambda: deque(maxlen=_MAX_NOTES))
    coming: deque[TrackEvent] = field(default_factory=deque)

    def announce(self, event: AirEvent) -> None:
        """Add a rendered event. It airs unless it is retracted."""
        if isinstance(event, TrackEvent):
            self.coming.append(event)

    def retract(self, frame: Frames) -> None:
        """Remove the announced events at `frame` and later, which will not air."""
        self.coming = deque(event for event in self.coming if event.frame < frame)

    def air(self, event: AirEvent, at: float) -> None:
        """Add an event that the live edge has reached; `at` is the wall clock in seconds since 1970."""
        match event:
            case TrackEvent():
                if not self.tracks or self._is_new(event):
                    self.tracks.append(AiredTrack(event, at))
                while self.coming and self.coming[0].frame <= event.frame:
                    self.coming.popleft()
            case BarEvent():
                self.bars.append(event)
                if self.tracks and self.tracks[-1].frame == event.frame:
                    self.tracks[-1].bar = event.number
            case PlayedNoteEvent():
                self.notes.append(event)

    def _is_new(self, event: TrackEvent) -> bool:
        """Return False for a track that is already listed, since a resumed station announces it again."""
        last = self.tracks[-1]
        begins_again = (event.number, event.title) == (last.event.number, last.title)
        return last.frame < event.frame and not begins_again

    def title_at(self, frame: Frames) -> str | None:
        """Return the title at `frame`, or None before the first remembered track."""
        tracks: Iterable[AiredTrack | TrackEvent] = chain(reversed(self.coming), reversed(self.tracks))
        for track in tracks:
            if track.frame <= frame:
                return track.title
        return None

    def current(self) -> CurrentMusic:
        """Return the last track and the last bar."""
        return CurrentMusic(self.tracks[-1].body() if self.tracks else None, self.bars[-1] if self.bars else None)

    def recent(self) -> list[RecentEvent]:
        """Return the last tracks, bars and notes in order."""
        events: list[RecentEvent] = []
        events += [RecentTrack(**asdict(track.body())) for track in list(self.tracks)[-_RECENT_TRACKS:]]
        events += [RecentBar(**asdict(bar)) for bar in self.bars]
        if self.notes:
            oldest = self.notes[-1].frame - _NOTE_HISTORY
            events += [RecentNote(**asdict(note)) for note in self.notes if note.frame > oldest]
        return sorted(events, key=lambda event: event.frame)
