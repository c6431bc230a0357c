"""The journal of a station: notes and bar lines of the last minutes, to be rendered again or written as MIDI."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from radio.server.api.events import AirEvent, BarEvent, PlayedNoteEvent
from radio.server.broadcast.worker_runs import WorkerRun
from radio.station.aired import PREROLL, AiredPassage, BarLine, PlayedNote
from radio.types import SAMPLE_RATE, Frames, Seconds

LONGEST: Seconds = 600.0
"""Longest part of the past that can be exported."""

_HISTORY: Frames = round(LONGEST * SAMPLE_RATE) + PREROLL + 10 * SAMPLE_RATE
"""`LONGEST`, plus the bar that began before it at the slowest tempo, and the notes that still sound in that bar."""


@dataclass(slots=True)
class Journal:
    """Aired events in order; ten minutes take about a megabyte."""

    notes: deque[PlayedNote] = field(default_factory=deque)
    bars: deque[BarLine] = field(default_factory=deque)

    def add(self, event: AirEvent) -> None:
        """Record an event that the live edge has reached."""
        if isinstance(event, PlayedNoteEvent):
            self.notes.append(PlayedNote(event.frame, event.layer, event.note, event.velocity, event.tick))
        elif isinstance(event, BarEvent):
            self.bars.append(
                BarLine(event.frame, event.number, event.tempo, event.frames, event.mix, event.instruments)
            )
        else:
            return
        oldest = event.frame - _HISTORY
        while self.notes and self.notes[0].frame < oldest:
            self.notes.popleft()
        while self.bars and self.bars[0].frame < oldest:
            self.bars.popleft()

    def passages(self, runs: Iterable[WorkerRun], live: Frames, seconds: Seconds) -> tuple[Frames, list[AiredPassage]]:
        """Return the last `seconds` before the live edge, extended back to a bar line.

        Returns:
            The frame of the bar line, and a passage for each run of the worker; none if no bar has begun.
        """
        start = self._bar_line(live - round(seconds * SAMPLE_RATE))
        known = list(runs)
        if start is None or not known:
            return live, []
        ends = [later.begins for _, later in pairwise(known)] + [live]
        return start, [
            self._passage(run, max(start, run.begins), end)
            for run, end in zip(known, ends, strict=True)
            if end > max(start, run.begins)
        ]

    def _bar_line(self, frame: Frames) -> Frames | None:
        """Return the last bar line at or before `frame`, or the first one of the journal."""
        line = None
        for bar in self.bars:
            if line is not None and bar.frame > frame:
                break
            line = bar.frame
        return line

    def _passage(self, run: WorkerRun, start: Frames, end: Frames) -> AiredPassage:
        early, origin = max(start - PREROLL, run.origin), run.origin
        notes = [note._replace(frame=note.frame - origin) for note in self.notes if early <= note.frame < end]
        bars = [bar._replace(frame=bar.frame - origin) for bar in self.bars if start <= bar.frame < end]
        changes = [(change.frame - origin, dict(change.controls)) for change in run.changes_between(early, end)]
        settings = replace(run.settings, controls=run.controls_at(early))
        moves = [
            bar._replace(frame=bar.frame - origin)
            for bar in self.bars
            if bar.frame + bar.frames > early and origin <= bar.frame < end
        ]
        return AiredPassage(settings, start - origin, end - origin, notes, bars, changes, moves)
