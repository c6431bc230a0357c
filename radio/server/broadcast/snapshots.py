"""The snapshots of a station, from which another worker can resume where the last one stopped."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from radio.station.resume import PREROLL, LogEntry, Resume, Snapshot
from radio.types import SAMPLE_RATE, Action, Frames, JsonValue

SPACING: Final[Frames] = 4 * SAMPLE_RATE
"""Minimum distance between two stored snapshots. Each takes half a megabyte."""

LONGEST_BAR: Final[Frames] = 5 * SAMPLE_RATE
"""Music that may be played again, starting at a bar line, after a stand-in."""

BEGINNING: Final = Snapshot(0, b"", b"")
"""The start of a station, from which a worker can play without any state."""


class Snapshots:
    """Snapshots in order of frame, and a log of the changes to the station since the oldest one.

    All frames are on the station's own clock.
    """

    def __init__(self) -> None:
        self._snapshots: deque[Snapshot] = deque()
        self._log: list[LogEntry] = []

    def begin(self) -> None:
        """Discard everything, and begin another piece."""
        self._snapshots = deque([BEGINNING])
        self._log = []

    def load(self, snapshot: Snapshot, log: tuple[LogEntry, ...]) -> None:
        """Replace everything with one snapshot and the log since then."""
        self._snapshots = deque([snapshot])
        self._log = [*log]

    def add(self, snapshot: Snapshot) -> None:
        """Add the latest snapshot of the worker, unless it is already known."""
        if any(entry.level and entry.frame >= snapshot.frame for entry in self._log):
            return
        insort(self._log, LogEntry(snapshot.frame, level=snapshot.level), key=_frame)
        if not self._snapshots or snapshot.frame >= self._snapshots[-1].frame + SPACING:
            self._snapshots.append(snapshot)

    def record(
        self,
        frame: Frames,
        patch: Mapping[str, JsonValue] | None = None,
        later: Sequence[Mapping[str, JsonValue]] = (),
        *,
        action: Action | None = None,
        prime: Mapping[str, JsonValue] | None = None,
    ) -> None:
        """Record a change of controls, an action or a prime that reached the station before it mixed `frame`."""
        entry = LogEntry(frame, dict(patch or {}), action, later=tuple(later), prime=prime)
        insort(self._log, entry, key=_frame)

    def resume(self, frame: Frames, *, past: Frames, with_events: bool) -> Resume | None:
        """Return the data to resume at `frame`, or None if there is no earlier snapshot.

        Args:
            frame: The first missing frame.
            past: Frames of audio before it that are needed too, if available; complete audio before these is kept, too.
            with_events: Whether the events since the snapshot are needed again.
        """
        if (chosen := self.choose(frame, past)) is None:
            return None
        snapshot, log = chosen
        complete = snapshot.frame + PREROLL if snapshot.data else 0
        return Resume(snapshot.data, log, min(complete, frame), snapshot.frame if with_events else frame, frame)

    def choose(self, frame: Frames, past: Frames) -> tuple[Snapshot, tuple[LogEntry, ...]] | None:
        """Return the snapshot to resume from at `frame`, with `past` frames of audio before it, and the log since."""
        before = [one for one in self._snapshots if one.frame <= frame]
        if not before:
            return None
        complete = [one for one in before if not one.data or one.frame + PREROLL <= frame - past]
        chosen = complete[-1] if complete else before[0]
        # The loudness after `frame` is measured again, since it may differ.
        log = (entry for entry in self._log if chosen.frame < entry.frame and (not entry.level or entry.frame <= frame))
        return chosen, tuple(log)

    def forget(self, frame: Frames) -> None:
        """Drop the snapshots and log entries that are not needed to resume with audio from `frame` onward."""
        while len(self._snapshots) > 1 and self._snapshots[1].frame + PREROLL <= frame - LONGEST_BAR:
            self._snapshots.popleft()
        if self._snapshots:
            del self._log[: bisect_right(self._log, self._snapshots[0].frame, key=_frame)]

    def retract(self, frame: Frames) -> None:
        """Drop the snapshots after `frame`, since the station is rendered again from there and may differ."""
        while self._snapshots and self._snapshots[-1].frame > frame:
            self._snapshots.pop()
        self._log = [entry for entry in self._log if entry.frame <= frame or not entry.level]

    def clear(self) -> None:
        """Discard everything, so that there is nothing to resume from."""
        self._snapshots.clear()
        self._log = []


def _frame(entry: LogEntry) -> Frames:
    return entry.frame
