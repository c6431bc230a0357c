"""Marks: places to which a station that has rendered ahead can return, within its process."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from radio.audio.synth import SynthState
from radio.station.resume import PREROLL, LogEntry
from radio.station.snapshot import StationState
from radio.station.sound import SoundMark
from radio.types import Block, Frames


@dataclass(frozen=True, slots=True)
class Mark:
    """The complete state of a station at one place, except for the sound of the synthesizer.

    position: the next frame to be rendered. buffer: mixed audio starting there. replayed: log entries that are still to
    be replayed.
    """

    position: Frames
    state: StationState
    sound: SoundMark
    buffer: Block
    replayed: tuple[LogEntry, ...]


class Marks:
    """The marks of a station in order, and the notes of earlier marks, which the synthesizer needs after a return."""

    def __init__(self) -> None:
        self._marks: deque[Mark] = deque()
        self._notes: deque[tuple[Frames, SynthState]] = deque()
        self._branch: Mark | None = None

    def __bool__(self) -> bool:
        return bool(self._marks)

    def add(self, mark: Mark) -> None:
        """Add a mark after the others."""
        self._marks.append(mark)
        self._notes.append((mark.state.frame, mark.state.synth))

    def clear(self) -> None:
        """Forget everything, for a station that continues elsewhere."""
        self._marks.clear()
        self._notes.clear()
        self._branch = None

    def branch(self, mark: Mark) -> None:
        """Keep the place after a change; it replaces all other marks if the change is settled."""
        self._branch = mark

    def settle(self) -> None:
        """Make the change final: forget the other marks, and the notes after it."""
        if (mark := self._branch) is None:
            return
        self._marks.clear()
        while self._notes and self._notes[-1][0] > mark.state.frame:
            self._notes.pop()
        self.add(mark)
        self._branch = None

    def return_to(self, frame: Frames) -> tuple[Mark, Frames, SynthState]:
        """Return the last mark at or before `frame`, or else the first mark. An unsettled change is forgotten.

        Also return the earlier frame, with its notes, at which the synthesizer must start for its sound to be complete.
        """
        self._branch = None
        mark = next((mark for mark in reversed(self._marks) if mark.position <= frame), self._marks[0])
        return mark, *next(
            (place for place in reversed(self._notes) if place[0] <= mark.state.frame - PREROLL), self._notes[0]
        )

    def forget(self, frame: Frames) -> Frames:
        """Forget marks and notes not needed to return to `frame` or later. Return the first frame with needed notes."""
        while len(self._marks) > 1 and self._marks[1].position <= frame:
            self._marks.popleft()
        needed = (self._marks[0].state.frame if self._marks else frame) - PREROLL
        while len(self._notes) > 1 and self._notes[1][0] <= needed:
            self._notes.popleft()
        return self._notes[0][0] if self._notes else frame
