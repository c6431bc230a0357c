"""Runs of a station's worker, and the control changes of each: enough to compose the music again.

The music of a run is a function of its checkpoints, its settings, its seed and its control changes. A track's place in
the run is the number of its first bar.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from radio import __version__
from radio.server.api.body import iso_time
from radio.server.api.controls import ControlEvent, ControlValues, all_values
from radio.server.api.history import Checkpoint, Checkpoints, ControlChange, History, PastTrack, Run
from radio.server.api.music_settings import music_settings
from radio.server.api.prime import RecordedPrime
from radio.server.broadcast.now_playing import AiredTrack
from radio.settings.controls import CONTROLS, Controls
from radio.types import SAMPLE_RATE, Action, Frames, JsonValue, Landing

if TYPE_CHECKING:
    from radio.settings.station import StationSettings

MAX_CHANGES = 4_096
"""Control changes kept per run. Older ones are merged into its initial controls."""

_KEPT_STEPS: Final = 64
"""Steps that can be retracted: more than fit into the reserve."""

_BEGIN_LOOPS: Final = frozenset({"skip", "next"})
"""Actions that begin a new loop."""

MAX_RUNS = 64
"""Runs kept per station: hours of a station whose worker dies every few minutes."""

_LOOP_CONTROLS: Final = frozenset(name for name, control in CONTROLS.items() if control.lands == "loop")
"""Controls whose change waits for the next loop: until then it can be replaced, or take effect earlier."""


class _TrackControls(NamedTuple):
    """The controls when a track began, and the changes while it played."""

    controls: ControlValues
    changes: list[ControlChange]


@dataclass(slots=True)
class WorkerRun:
    """The settings of one worker and its control changes.

    settings: with the seed and the controls that the worker was started with.
    started: seconds since 1970.
    origin: frame of the run's first bar line on the channel's clock.
    begins: first frame of the run that was heard; later than `origin` if it continues the piece of another run.
    digests: SHA-256 of each checkpoint and tuned state.
    whole: whether `changes` reaches back to the first bar.
    version: number of times that `changes` has changed.
    """

    number: int
    settings: StationSettings
    started: float
    origin: Frames
    digests: Mapping[str, str]
    controls: Controls = field(init=False)
    begins: Frames = field(init=False)
    changes: deque[ControlChange] = field(default_factory=deque)
    whole: bool = True
    version: int = 0
    _expected: list[tuple[int, dict[str, JsonValue]]] = field(default_factory=list)
    """Steps that the worker has yet to make, in order: the bar, and the values by control."""
    _made: deque[ControlChange] = field(default_factory=lambda: deque(maxlen=_KEPT_STEPS))
    """The last steps that it has made."""

    def __post_init__(self) -> None:
        self.controls = self.settings.controls
        self.begins = self.origin

    def change_controls(self, landings: Mapping[str, Landing], values: Mapping[str, JsonValue]) -> None:
        """Record a change of controls, and where each of them takes effect."""
        self._expected = [
            (bar, {name: value for name, value in step.items() if name not in landings}) for bar, step in self._expected
        ]
        for at in dict.fromkeys(landings.values()):
            changed = {name: values[name] for name, landing in landings.items() if landing == at}
            self._add(ControlChange(at.bar, at.frame, ControlValues(changed)))

    def act(self, at: Landing, action: Action) -> None:
        """Record a client's action, and where it takes effect."""
        self._add(ControlChange(at.bar, at.frame, ControlValues(), action=action.kind, track=action.track))

    def prime(self, at: Landing, prime: Mapping[str, JsonValue]) -> None:
        """Record that the station was primed before a bar."""
        self._add(ControlChange(at.bar, at.frame, ControlValues(), prime=msgspec.convert(prime, RecordedPrime)))

    def expect(self, landings: Mapping[str, Landing], later: Iterable[Mapping[str, JsonValue]]) -> None:
        """Expect steps of controls in the bars after a change; `record_step` records each when it is made."""
        bar = max((at.bar for name, at in landings.items() if CONTROLS[name].lands == "bar"), default=None)
        if bar is None:
            bar = max(at.bar for at in landings.values()) + 1
        self._expected += [(number, dict(step)) for number, step in enumerate(later, bar + 1)]

    def record_step(self, event: ControlEvent) -> None:
        """Record the expected steps that an event reports, with its frame."""
        made: dict[str, JsonValue] = {}
        place = 0
        for bar, step in self._expected:
            names = [name for name in step if name in event and name not in made and event[name] == step[name]]
            if names:
                made |= {name: step.pop(name) for name in names}
                place = bar
        if made:
            self._made.append(ControlChange(place, event.frame, ControlValues(made)))
            self._add(self._made[-1])
        self._expected = [(bar, step) for bar, step in self._expected if step]

    def retract(self, frame: Frames) -> None:
        """Expect the steps at `frame` and later again, since their bars are rendered again."""
        while self._made and self._made[-1].frame >= frame:
            step = self._made.pop()
            self._remove(step)
            self._expected.insert(0, (step.bar, dict(step.controls)))

    def moved_changes(self, origin: Frames) -> Iterator[ControlChange]:
        """Yield the changes, moved to a run whose first bar line is at frame `origin` of the channel."""
        for change in self.changes:
            yield msgspec.structs.replace(change, frame=change.frame + origin - self.origin)

    def controls_at(self, frame: Frames) -> Controls:
        """Return the controls that are in force when the bar at `frame` begins."""
        values: dict[str, JsonValue] = {}
        for change in self._in_order():
            if change.frame <= frame:
                values |= change.controls
        return self.controls.changed(values)

    def changes_between(self, start: Frames, end: Frames) -> list[ControlChange]:
        """Return the changes at `start` < frame < `end`, in order of frame."""
        return [change for change in self._in_order() if start < change.frame < end]

    def controls_of(self, spans: Iterable[tuple[Frames, Frames]]) -> Iterator[_TrackControls]:
        """Yield the controls and changes of each track; `spans` are the tracks' first and last frames, in order."""
        changes = self._in_order()
        frames = [change.frame for change in changes]
        values, merged = all_values(self.controls), 0
        for start, end in spans:
            begun = bisect_right(frames, start)
            for change in changes[merged:begun]:
                values.update(change.controls)
            merged = begun
            yield _TrackControls(ControlValues(values), changes[begun : bisect_left(frames, end)])

    def body(self) -> Run:
        return Run(
            number=self.number,
            started_at=iso_time(self.started),
            frame=self.origin,
            version=__version__,
            seed=self.settings.seed,
            settings=music_settings(self.settings),
            checkpoints=Checkpoints(
                piano=self._checkpoint("piano", self.settings.piano),
                drums=self._checkpoint("drums", self.settings.drums),
                chords=self._checkpoint("chords", self.settings.chords),
                bass=self._checkpoint("bass", self.settings.bass),
                band=self._optional("band", self.settings.band),
                piano_state=self._optional("piano_state", self.settings.piano_state),
                drums_state=self._optional("drums_state", self.settings.drums_state),
            ),
            controls=all_values(self.controls),
            changes=list(self.changes),
            whole=self.whole,
        )

    def _checkpoint(self, setting: str, path: Path) -> Checkpoint:
        return Checkpoint(path.name, self.digests.get(setting))

    def _optional(self, setting: str, path: Path | None) -> Checkpoint | None:
        return None if path is None else self._checkpoint(setting, path)

    def _add(self, change: ControlChange) -> None:
        self.version += 1
        if change.action in _BEGIN_LOOPS or not _LOOP_CONTROLS.isdisjoint(change.controls):
            values = ControlValues(self._withdraw(change.bar) | change.controls)
            change = msgspec.structs.replace(change, controls=values)
        last = self.changes[-1] if self.changes else None
        same_place = last is not None and (last.bar, last.frame) == (change.bar, change.frame)
        plain = last is not None and not (last.action or last.prime or change.action or change.prime)
        if last is not None and same_place and plain:
            values = ControlValues(last.controls | change.controls)
            self.changes[-1] = msgspec.structs.replace(change, controls=values)
        else:
            self.changes.append(change)
        while len(self.changes) > MAX_CHANGES:
            self.controls = self.controls.changed(self.changes.popleft().controls)
            self.whole = False

    def _in_order(self) -> list[ControlChange]:
        """Return the changes in order of frame; one of the mix may come before a musical one that was made earlier."""
        return sorted(self.changes, key=lambda change: change.frame)

    def _remove(self, step: ControlChange) -> None:
        """Remove the values of a step that was recorded."""
        self.version += 1
        remaining: deque[ControlChange] = deque()
        for change in self.changes:
            if change.frame != step.frame:
                remaining.append(change)
                continue
            values = {name: value for name, value in change.controls.items() if name not in step.controls}
            if values or change.action or change.prime:
                remaining.append(msgspec.structs.replace(change, controls=ControlValues(values)))
        self.changes = remaining

    def _withdraw(self, bar: int) -> dict[str, JsonValue]:
        """Remove and return the control values that wait for a loop at `bar` or later."""
        waiting: dict[str, JsonValue] = {}
        remaining: deque[ControlChange] = deque()
        for change in self.changes:
            early = _LOOP_CONTROLS.intersection(change.controls) if change.bar >= bar else frozenset()
            waiting |= {name: change.controls[name] for name in early}
            rest = ControlValues({name: value for name, value in change.controls.items() if name not in early})
            if rest or change.action or change.prime:
                remaining.append(msgspec.structs.replace(change, controls=rest))
        self.changes = remaining
        return waiting


def history(
    tracks: Iterable[AiredTrack], runs: Iterable[WorkerRun], *, live: Frames, limit: int, before: Frames | None = None
) -> History:
    """Return the last `limit` tracks of the stored runs, newest first, and these runs.

    Args:
        before: Leaves out the tracks that began at this frame or later.
    """
    all_runs, all_tracks = list(runs), list(tracks)
    ends = [later.frame for later in all_tracks[1:]] + [live]
    spans = [(track.frame, end) for track, end in zip(all_tracks, ends, strict=False)]
    if before is not None:
        all_tracks = all_tracks[: bisect_left(all_tracks, before, key=_frame)]
    first_kept = bisect_left(all_tracks, all_runs[0].begins, key=_frame) if all_runs else len(all_tracks)
    index = max(first_kept, len(all_tracks) - limit)
    past_tracks: list[PastTrack] = []
    used_runs: list[WorkerRun] = []
    for run, end in zip(all_runs, [*(later.begins for later in all_runs[1:]), live + 1], strict=False):
        stop = bisect_left(all_tracks, end, key=_frame)
        if index < stop:
            used_runs.append(run)
        for track, state in zip(all_tracks[index:stop], run.controls_of(spans[index:stop]), strict=True):
            past_tracks.append(_past_track(track, run, state))
        index = max(index, stop)
    return History(past_tracks[::-1], [run.body() for run in used_runs[::-1]], live, SAMPLE_RATE)


def _past_track(track: AiredTrack, run: WorkerRun, state: _TrackControls) -> PastTrack:
    return PastTrack(
        **msgspec.structs.asdict(track.body()),
        bar=track.bar,
        run=run.number,
        seed=run.settings.seed,
        controls=state.controls,
        changes=state.changes,
    )


def _frame(track: AiredTrack) -> Frames:
    return track.frame
