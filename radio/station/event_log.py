"""The events of a station: tracks, bars, notes and control changes, each with its frame."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import fields

from radio.compose.bar import Bar
from radio.music.chord_loops import bar_name
from radio.music.clock import Clock
from radio.music.events import NoteEvent
from radio.music.instruments import NAMES
from radio.settings.controls import CONTROLS, Controls
from radio.station.moves import move_as_json
from radio.station.snapshot import PendingEvent
from radio.types import TICKS_PER_BAR, EventKind, Frames, JsonValue, MixMove, StationEvent


class EventLog:
    """Events waiting for their frames to be rendered, in order of frame."""

    def __init__(self) -> None:
        self._events: list[tuple[Frames, int, StationEvent]] = []  # a heap; the number orders events at the same frame
        self._serial = itertools.count()

    def add(self, frame: Frames, kind: EventKind, data: dict[str, JsonValue]) -> None:
        heapq.heappush(self._events, (frame, next(self._serial), StationEvent(frame, kind, data)))

    def take(self, end: Frames) -> list[StationEvent]:
        """Remove and return the events before `end`."""
        removed = []
        while self._events and self._events[0][0] < end:
            removed.append(heapq.heappop(self._events)[2])
        return removed

    def save(self) -> tuple[PendingEvent, ...]:
        """Return the waiting events."""
        return tuple(PendingEvent(event.frame, event.kind, event.data) for _, _, event in sorted(self._events))

    def restore(self, saved: Iterable[PendingEvent]) -> None:
        """Replace the waiting events with saved ones."""
        self._events.clear()
        for event in saved:
            self.add(event.frame, event.kind, dict(event.data))

    def add_controls(self, frame: Frames, before: Controls, after: Controls) -> None:
        """Add the music controls that have changed with a bar, if any."""
        names = [field.name for field in fields(after) if CONTROLS[field.name].lands != "mix"]
        changed: dict[str, JsonValue] = {
            name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)
        }
        if changed:
            self.add(frame, "control", changed)

    def add_track(self, frame: Frames, bar: Bar, tempo: float) -> None:
        """Add the track that begins with `bar`; `tempo` is in BPM."""
        track = bar.track
        names = {layer: NAMES[program] for layer, program in bar.programs.items() if layer != "drums"}
        data: dict[str, JsonValue] = {
            "number": track.number,
            "title": track.title,
            "key": track.key_name,
            "tempo": tempo,
            "chords": [*track.loops["A"].names()],
            "bars": track.bars,
            "instruments": {**bar.programs},
            "instrument_names": {**names},
        }
        self.add(frame, "track", data)

    def add_bar(self, bar: Bar, mix: MixMove, clock: Clock) -> None:
        """Add a bar and its automation of the mix."""
        plan = bar.plan
        frame = clock.frame(plan.tick)
        data: dict[str, JsonValue] = {
            "number": plan.number,
            "chord": bar_name(*plan.chords[::2]),
            "section": plan.section,
            "tempo": clock.tempo,
            "chords": [*([] if plan.loop is None else plan.loop.names())],
            "place": plan.place,
            "frames": clock.frame(plan.tick + TICKS_PER_BAR) - frame,
            "mix": move_as_json(mix),
            "instruments": {**bar.programs},
            "key": bar.track.key_name,
            "hold": plan.holds,
        }
        self.add(frame, "bar", data)

    def add_note(self, frame: Frames, layer: str, event: NoteEvent) -> None:
        """Add the strike or the release of a note."""
        data: dict[str, JsonValue] = {"layer": layer, "note": event.note, "velocity": event.velocity}
        self.add(frame, "note", {**data, "tick": event.tick})
