"""The piece of music that a station plays: its runs, and the snapshots from which another worker can continue it."""

from __future__ import annotations

import logging
import secrets
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from radio import __version__
from radio.server.broadcast.now_playing import AiredTrack
from radio.server.broadcast.postponed import Postponed
from radio.server.broadcast.restarting_worker import StartedStation
from radio.server.broadcast.saved_station import SavedStation, saved_run, saved_tracks, worker_run
from radio.server.broadcast.snapshots import Snapshots
from radio.server.broadcast.worker_runs import MAX_RUNS, WorkerRun
from radio.station.resume import Resume, Snapshot
from radio.types import SAMPLE_RATE, Action, Frames, JsonValue, Landing
from radio.worker.wire import PERFORMED, PRIMED, TRACK, ControlsLanded

if TYPE_CHECKING:
    from radio.settings.station import StationSettings

WARM_UP: Final[Frames] = SAMPLE_RATE // 4
"""Audio before the live edge that the encoders of a new worker need."""

_TRIES: Final = 3
"""Workers that may end at the same place of a piece before a new piece begins."""

_PROGRESS: Final[Frames] = 2 * SAMPLE_RATE
"""A worker that rendered less than this counts as having made no progress."""


class Piece:
    """The music of a station across workers: the initial settings of each, and the changes since.

    The frames of requests, snapshots and workers are on the worker's clock: the frame of the channel minus `offset`.

    settings: the station.
    controls: as last requested.
    runs: one for each piece, and for each worker that continued it with other settings.
    offset: the channel's frame at the worker's frame 0; a new worker begins where the last one ended.
    postponed: the change of controls that the next worker begins with.
    """

    def __init__(self, settings: StationSettings) -> None:
        self.settings = settings
        self.controls = settings.controls
        self.runs: deque[WorkerRun] = deque(maxlen=MAX_RUNS)
        self.offset: Frames = 0
        self.postponed = Postponed()
        self._snapshots = Snapshots()
        self._log = logging.getLogger(f"radio.station.{settings.name}")
        self._fruitless = 0
        """Number of consecutive workers that ended before they rendered anything new."""
        self._resumed_at: Frames = 0

    @property
    def stuck(self) -> bool:
        """True if several workers in a row ended at the same place."""
        return self._fruitless >= _TRIES

    # ── Requests of clients ──────────────────────────────────────────────────────────────────────────────────────────

    def change_controls(
        self, landed: ControlsLanded, patch: Mapping[str, JsonValue], later: Sequence[Mapping[str, JsonValue]]
    ) -> dict[str, Landing]:
        """Record a change of controls that the worker has made, and return where each value takes effect."""
        self._snapshots.record(landed.mixed, patch, later)
        landings = {name: self._landing(landing) for name, landing in landed.landings.items()}
        self.controls = self.controls.changed(patch)
        self.runs[-1].change_controls(landings, self.controls.as_json())
        self.runs[-1].expect(landings, later)
        for step in later:
            self.controls = self.controls.changed(step)
        return landings

    def postpone(self, patch: Mapping[str, JsonValue], later: Sequence[Mapping[str, JsonValue]] = ()) -> None:
        """Postpone a change of controls to the place where the next worker resumes."""
        self.postponed = self.postponed.followed_by(patch, later)
        for step in (patch, *later):
            self.controls = self.controls.changed(step)

    def make_postponed(self, landed: ControlsLanded) -> None:
        """Record that the worker has made part of the postponed change."""
        made, self.postponed = self.postponed.without(landed.number)
        self._snapshots.retract(landed.mixed - 1)  # those of the last worker lack the change
        self.change_controls(landed, made.patch, made.later)

    def act(self, landed: ControlsLanded, action: Action) -> Landing:
        """Record an action that the worker has performed, and return where it takes effect."""
        self._snapshots.record(landed.mixed, action=action)
        landing = self._landing(landed.landings[PERFORMED])
        self.runs[-1].act(landing, action)
        return landing

    def prime(self, landed: ControlsLanded, prime: Mapping[str, JsonValue]) -> Landing:
        """Record that the worker was primed, and return where the first track with the prime begins."""
        self._snapshots.record(landed.mixed, prime=prime)
        self.runs[-1].prime(self._landing(landed.landings[PRIMED]), prime)
        return self._landing(landed.landings[TRACK])

    def _landing(self, landing: Landing) -> Landing:
        return Landing(landing.bar, landing.frame + self.offset)

    # ── Workers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_start(
        self, digests: Mapping[str, str], frame: Frames, *, past: Frames, with_events: bool
    ) -> tuple[StationSettings, Resume | None]:
        """Return the settings of the next worker, and where it resumes this piece; None if it begins a new one.

        Args:
            digests: SHA-256 of each checkpoint that the worker will read.
            frame: The first missing frame.
            past, with_events: See `Snapshots.resume`.
        """
        self._resumed_at = frame
        known = self.runs and self.runs[-1].digests == digests
        if known and (resume := self._snapshots.resume(frame, past=past, with_events=with_events)):
            run = self.runs[-1]
            return replace(self.settings, seed=run.settings.seed, controls=run.settings.controls), resume
        played = {0, *(run.settings.seed for run in self.runs)}
        seed = self.settings.seed if self.settings.seed not in played else 1 + secrets.randbelow(2**31)
        self._log.info("station '%s' begins a new piece from seed %d", self.settings.name, seed)
        return replace(self.settings, controls=self.controls, seed=seed), None

    def is_continued_by(self, station: StartedStation) -> bool:
        """Return True if a newly opened station has the checkpoints of this piece, or if there is no piece yet."""
        return not self.runs or self.runs[-1].digests == station.digests

    def add_run(self, station: StartedStation) -> None:
        """Record that a worker has opened the station, with another piece, other settings or another offset."""
        last = self.runs[-1] if self.runs else None
        if not station.resumed:
            self._snapshots.begin()
            self.postponed = Postponed()  # its settings already include the change
        elif last is not None and station.settings == last.settings and last.origin == self.offset:
            return
        number = 0 if last is None else last.number + 1
        run = WorkerRun(number, station.settings, time.time(), self.offset, station.digests)
        if last is not None and station.resumed:
            run.begins, run.controls, run.whole = station.frame + self.offset, last.controls, last.whole
            run.changes.extend(last.moved_changes(run.origin))
        self.runs.append(run)

    def add_snapshot(self, snapshot: Snapshot, live: Frames) -> None:
        """Keep a snapshot of the worker; `live` is the live edge on the channel's clock."""
        self._snapshots.add(snapshot)
        self._snapshots.forget(live - self.offset - WARM_UP)

    def retract(self, place: Frames) -> None:
        """Expect the control steps at frame `place` of the channel and later to be made again."""
        if self.runs:
            self.runs[-1].retract(place)

    def rewind(self, frame: Frames) -> None:
        """Record that the worker renders again from `frame` onward because of a change."""
        self._snapshots.retract(frame - 1)  # one at `frame` was taken before the change
        self._resumed_at = min(self._resumed_at, frame)
        place = frame + self.offset
        if self.runs[-1].begins > place:  # a worker with new settings may go back before its first frame
            self.runs[-1].begins = place
            while len(self.runs) > 1 and self.runs[-2].begins >= place:
                del self.runs[-2]

    def end_worker(self, frame: Frames) -> None:
        """Record that a worker has ended, and that its audio ends at `frame`."""
        self._fruitless = self._fruitless + 1 if frame <= self._resumed_at + _PROGRESS else 0
        self._snapshots.retract(frame)

    def count_failure(self) -> None:
        """Count a worker that ended before it opened the station, while a stand-in plays."""
        self._fruitless += 1

    def excuse_failure(self) -> None:
        """Reset the count of failures, which the piece did not cause."""
        self._fruitless = 0

    def forget(self) -> None:
        """Make the next worker begin a new piece."""
        self._snapshots.clear()
        self._fruitless = 0

    # ── State on disk ────────────────────────────────────────────────────────────────────────────────────────────────

    def saved(self, live: Frames, tracks: Iterable[AiredTrack], resumes: Frames | None = None) -> SavedStation | None:
        """Return the state from which another process can resume at the live edge, or None without a snapshot.

        Args:
            live: The live edge.
            tracks: The last tracks.
            resumes: The frame where the music resumes, on its own clock, if a stand-in plays.
        """
        place = live - self.offset if resumes is None else min(resumes, live - self.offset)
        chosen = self._snapshots.choose(place, WARM_UP)
        if chosen is None or not self.runs:
            return None
        snapshot, log = chosen
        return SavedStation(
            self.settings.name,
            __version__,
            time.time(),
            self.settings.seed,
            self.settings.controls.as_json(),
            live,
            self.runs[-1].origin,
            saved_run(self.runs[-1]),
            self.controls.as_json(),
            snapshot,
            log,
            saved_tracks(tracks),
            self.postponed,
            place,
        )

    def take_over(self, saved: SavedStation) -> None:
        """Continue a saved piece. Controls that the config has changed since are postponed.

        Raises:
            ControlError: A control no longer exists, or its value is not allowed; nothing has changed.
        """
        run, controls = worker_run(saved, self.settings), self.controls.changed(saved.controls)
        for step in (saved.postponed.patch, *saved.postponed.later):
            controls.changed(step)
        self.runs.append(run)
        self.controls, self.postponed = controls, saved.postponed
        self.offset = saved.origin if saved.resumes is None else saved.live - saved.resumes
        self._snapshots.load(saved.snapshot, saved.log)
        self.postpone(
            {
                name: value
                for name, value in self.settings.controls.as_json().items()
                if value != saved.asked_controls.get(name, value)
            }
        )
