"""The last minutes as they were composed: notes and bar lines, to be played again or written down."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from radio.server.broadcast.worker_runs import WorkerRun
from radio.station.replay import PREROLL, AiredPassage, BarLine, PlayedNote
from radio.types import SAMPLE_RATE, Frames, Seconds, StationEvent

LONGEST: Seconds = 600.0
"""Most of the past that can be asked for."""

_KEPT: Frames = round(LONGEST * SAMPLE_RATE) + PREROLL + 10 * SAMPLE_RATE
"""With the bar that began before it, at the slowest tempo, and what sounds into that."""


@dataclass(slots=True)
class Journal:
    """Built from events in the order in which they air; about a megabyte for ten minutes."""

    notes: deque[PlayedNote] = field(default_factory=deque)
    bars: deque[BarLine] = field(default_factory=deque)

    def add(self, event: StationEvent) -> None:
        """Take an event that the live edge has reached."""
        data = event.data
        match event.kind:
            case "note":
                layer, note, velocity, tick = data["layer"], data["note"], data["velocity"], data["tick"]
                self.notes.append(PlayedNote(event.frame, layer, note, velocity, tick))  # type: ignore[arg-type]
            case "bar":
                self.bars.append(BarLine(event.frame, data["number"], data["tempo"]))  # type: ignore[arg-type]
            case _:
                return
        oldest = event.frame - _KEPT
        while self.notes and self.notes[0].frame < oldest:
            self.notes.popleft()
        while self.bars and self.bars[0].frame < oldest:
            self.bars.popleft()

    def passages(self, runs: Iterable[WorkerRun], live: Frames, seconds: Seconds) -> tuple[Frames, list[AiredPassage]]:
        """The last `seconds` before the live edge, from the bar line before them on.

        Returns:
            the mount's frame of that bar line, and a passage for each worker; none where no bar has begun.
        """
        start = self._bar_line(live - round(seconds * SAMPLE_RATE))
        known = list(runs)
        if start is None or not known:
            return live, []
        ends = [later.origin for _, later in pairwise(known)] + [live]
        return start, [
            self._passage(run, max(start, run.origin), end)
            for run, end in zip(known, ends, strict=True)
            if end > max(start, run.origin)
        ]

    def _bar_line(self, frame: Frames) -> Frames | None:
        """The last bar line not after `frame`, or else the first there is."""
        found = None
        for bar in self.bars:
            if found is not None and bar.frame > frame:
                break
            found = bar.frame
        return found

    def _passage(self, run: WorkerRun, start: Frames, end: Frames) -> AiredPassage:
        early, origin = max(start - PREROLL, run.origin), run.origin
        notes = [each._replace(frame=each.frame - origin) for each in self.notes if early <= each.frame < end]
        bars = [each._replace(frame=each.frame - origin) for each in self.bars if start <= each.frame < end]
        changes = [(each.at.frame - origin, each.values) for each in run.changes_between(early, end)]
        settings = replace(run.settings, controls=run.controls_at(early))
        return AiredPassage(settings, start - origin, end - origin, notes, bars, changes)
