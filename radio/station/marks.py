"""Marks: places of a station that has rendered ahead, to which it can return within its process."""

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
    """Everything that a station is at one place, apart from the sound of the synthesizer.

    position: the next frame to be rendered. buffer: what is mixed from there on. replayed: entries of the log that are
    still to happen again.
    """

    position: Frames
    state: StationState
    sound: SoundMark
    buffer: Block
    replayed: tuple[LogEntry, ...]


class Marks:
    """The marks of a station in order, and the notes of earlier ones, from which the synthesizer plays again."""

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
        """Forget everything: the station goes on elsewhere."""
        self._marks.clear()
        self._notes.clear()
        self._branch = None

    def branch(self, mark: Mark) -> None:
        """Keep the place of a change, which takes the place of all others if the change stays."""
        self._branch = mark

    def settle(self) -> None:
        """Let the change stay: forget the other places, and the notes after it."""
        if (mark := self._branch) is None:
            return
        self._marks.clear()
        while self._notes and self._notes[-1][0] > mark.state.frame:
            self._notes.pop()
        self.add(mark)
        self._branch = None

    def return_to(self, frame: Frames) -> tuple[Mark, Frames, SynthState]:
        """Return the last mark at or before `frame`, or else the first one. A change that was not settled is forgotten.

        With it come the frame and the notes from which the synthesizer plays again, so that its sound is complete.
        """
        self._branch = None
        mark = next((mark for mark in reversed(self._marks) if mark.position <= frame), self._marks[0])
        return mark, *next(
            (place for place in reversed(self._notes) if place[0] <= mark.state.frame - PREROLL), self._notes[0]
        )

    def forget(self, frame: Frames) -> Frames:
        """Forget what a return to `frame` or later does not need. Return the first frame whose notes are needed."""
        while len(self._marks) > 1 and self._marks[1].position <= frame:
            self._marks.popleft()
        needed = (self._marks[0].state.frame if self._marks else frame) - PREROLL
        while len(self._notes) > 1 and self._notes[1][0] <= needed:
            self._notes.popleft()
        return self._notes[0][0] if self._notes else frame
