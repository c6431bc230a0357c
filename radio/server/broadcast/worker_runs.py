"""The runs of a station's workers: with a run's record, and the models it names, its music is composed again.

What a worker plays is a function of its checkpoints, its settings, its seed and the log of control changes. A track's
place in it is the number of its first bar.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from radio import __version__
from radio.server.broadcast.now_playing import AiredTrack, stamp
from radio.settings.controls import CONTROLS, Controls
from radio.settings.fields import settings_of
from radio.settings.station import StationSettings
from radio.types import Frames, JsonValue, Landing

CHANGES = 4_096
"""Control changes that a run keeps; what is older than these is folded into the controls it began with."""

MAX_RUNS = 64
"""Lives that are kept: those of a station whose worker dies every few minutes, for hours."""

_SHAPING = tuple(name for name, setting in settings_of(StationSettings).items() if setting.uses.get("shapes_music"))
"""The settings that the history shows. Others are private, such as the servers that a station is pushed to."""

_MODELS = ("piano", "drums", "chords")

_WAITING = frozenset(name for name, control in CONTROLS.items() if control.lands == "loop")
"""Controls that may be asked for anew, or be heard earlier than was said, while they wait for a loop to begin."""


@dataclass(frozen=True, slots=True)
class ControlChange:
    """Control values, and the bar and mount's frame from which they count; or a track that was begun there by hand."""

    at: Landing
    values: Mapping[str, JsonValue]
    skip: bool = False

    def as_json(self) -> dict[str, JsonValue]:
        return {"bar": self.at.bar, "frame": self.at.frame, "controls": dict(self.values), "skip": self.skip}


@dataclass(slots=True)
class WorkerRun:
    """What one worker was started with, and what was changed since."""

    number: int
    settings: StationSettings
    """With the seed and the controls that this worker was given."""
    started: float
    """Seconds since 1970."""
    origin: Frames
    """The mount's frame of its first bar line."""
    digests: Mapping[str, str]
    """SHA-256 of each checkpoint."""
    controls: Controls = field(init=False)
    changes: deque[ControlChange] = field(default_factory=deque)
    whole: bool = True
    """Whether `changes` reaches back to the first bar."""

    def __post_init__(self) -> None:
        self.controls = self.settings.controls

    def changed(self, landings: Mapping[str, Landing], values: Mapping[str, JsonValue]) -> None:
        """Note a change of controls, each with its landing."""
        for at in dict.fromkeys(landings.values()):
            self._add(ControlChange(at, {name: values[name] for name, landing in landings.items() if landing == at}))

    def skipped(self, at: Landing) -> None:
        """Note that the next track was to begin there, and with it a loop."""
        self._add(ControlChange(at, {}, skip=True))

    def _add(self, change: ControlChange) -> None:
        if change.skip or not _WAITING.isdisjoint(change.values):
            change = replace(change, values={**self._withdrawn(change.at.bar), **change.values})
        last = self.changes[-1] if self.changes else None
        if last is not None and last.at == change.at and not last.skip and not change.skip:
            self.changes[-1] = ControlChange(change.at, {**last.values, **change.values})
        else:
            self.changes.append(change)
        while len(self.changes) > CHANGES:
            self.controls = self.controls.changed(self.changes.popleft().values)
            self.whole = False

    def _withdrawn(self, bar: int) -> dict[str, JsonValue]:
        """Take out, and return, what waits for a loop that begins at `bar` or later."""
        waiting: dict[str, JsonValue] = {}
        kept: deque[ControlChange] = deque()
        for change in self.changes:
            early = _WAITING.intersection(change.values) if change.at.bar >= bar else frozenset()
            waiting |= {name: change.values[name] for name in early}
            rest = {name: value for name, value in change.values.items() if name not in early}
            if rest or change.skip:
                kept.append(replace(change, values=rest))
        self.changes = kept
        return waiting

    def controls_at(self, frame: Frames) -> Controls:
        """The controls in force when the bar at `frame` begins."""
        values: dict[str, JsonValue] = {}
        for change in self.changes:
            if change.at.frame <= frame:
                values |= change.values
        return self.controls.changed(values)

    def changes_between(self, start: Frames, end: Frames) -> list[ControlChange]:
        """Those that landed at `start` < frame < `end`."""
        return [change for change in self.changes if start < change.at.frame < end]

    def told(self, spans: Iterable[tuple[Frames, Frames]]) -> Iterator[dict[str, JsonValue]]:
        """For stretches in order of time: the controls in force as each begins, and what was changed within it."""
        changes = sorted(self.changes, key=lambda change: change.at.frame)
        frames = [change.at.frame for change in changes]
        values, done = self.controls.as_json(), 0
        for start, end in spans:
            begun = bisect_right(frames, start)
            for change in changes[done:begun]:
                values |= change.values
            done = begun
            within: list[JsonValue] = [change.as_json() for change in changes[begun : bisect_left(frames, end)]]
            yield {"seed": self.settings.seed, "controls": dict(values), "changes": within}

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "number": self.number,
            "started_at": stamp(self.started),
            "frame": self.origin,
            "version": __version__,
            "seed": self.settings.seed,
            "settings": _settings(self.settings),
            "checkpoints": {
                part: {"name": _path(self.settings, part).name, "sha256": self.digests.get(part)} for part in _MODELS
            },
            "controls": self.controls.as_json(),
            "changes": [change.as_json() for change in self.changes],
            "whole": self.whole,
        }


def digests(settings: StationSettings) -> dict[str, str]:
    """SHA-256 of the checkpoints that are there; they are read whole, so not on the event loop."""
    return {
        part: hashlib.sha256(path.read_bytes()).hexdigest()
        for part in _MODELS
        if (path := _path(settings, part)).is_file()
    }


def as_json(
    tracks: Iterable[AiredTrack], runs: Iterable[WorkerRun], *, live: Frames, limit: int
) -> dict[str, JsonValue]:
    """The last `limit` tracks of runs that are known, newest first, and these runs."""
    known, past = list(runs), list(tracks)
    ends = [later.frame for later in past[1:]] + [live]
    spans = [(track.frame, end) for track, end in zip(past, ends, strict=False)]
    forgotten = bisect_left(past, known[0].origin, key=lambda track: track.frame) if known else len(past)
    place, used = max(forgotten, len(past) - limit), []
    found: list[JsonValue] = []
    for run, end in zip(known, [*(later.origin for later in known[1:]), live + 1], strict=False):
        stop = bisect_left(past, end, key=lambda track: track.frame)
        if place < stop:
            used.append(run)
        for track, told in zip(past[place:stop], run.told(spans[place:stop]), strict=True):
            found.append({**track.as_json(), "bar": track.bar, "run": run.number, **told})
        place = max(place, stop)
    return {"tracks": found[::-1], "runs": [run.as_json() for run in used[::-1]]}


def _path(settings: StationSettings, part: str) -> Path:
    path: Path = getattr(settings, part)
    return path


def _settings(settings: StationSettings) -> dict[str, JsonValue]:
    """What shapes the music and its sound; of files the names only, since the folders are this machine's business."""
    plain: dict[str, Any] = asdict(settings)
    found = {name: plain[name] for name in _SHAPING}
    return {name: value.name if isinstance(value, Path) else value for name, value in found.items()}
