"""A station on the air: its worker, its clock, its mounts, and the events of its music."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Final

from radio import __version__
from radio.errors import ControlError, OpeningError, ServerError, SnapshotError, StreamError
from radio.server.api.controls import ControlEvent
from radio.server.api.events import AirEvent, BarEvent, read_event
from radio.server.broadcast.event_stream import Subscribers
from radio.server.broadcast.hls_listeners import HlsListeners
from radio.server.broadcast.journal import Journal
from radio.server.broadcast.mount_set import MountSet
from radio.server.broadcast.now_playing import NowPlaying
from radio.server.broadcast.reserve import MARGIN, Lead, ReserveWatch, render_until
from radio.server.broadcast.restarting_worker import RestartingWorker, StartedStation, WorkerCallbacks
from radio.server.broadcast.saved_station import (
    SavedStation,
    aired_tracks,
    saved_run,
    saved_tracks,
    worker_run,
)
from radio.server.broadcast.snapshots import Snapshots
from radio.server.broadcast.stall_watch import StallWatch
from radio.server.broadcast.stand_in import StandIn
from radio.server.broadcast.stand_ins import StandIns
from radio.server.broadcast.state_folder import StateFolder
from radio.server.broadcast.station_files import FileCopies
from radio.server.broadcast.tiers import Tiers
from radio.server.broadcast.worker_runs import MAX_RUNS, WorkerRun
from radio.station.snapshot import Resume, Snapshot
from radio.stream.relay.live_edge import LiveEdge
from radio.stream.relay.mount import Mount
from radio.stream.relay.relay import ADVANCE_INTERVAL
from radio.stream.relay.tap import Tap
from radio.stream.relay.wall_clock import WallClock
from radio.types import SAMPLE_RATE, Action, Format, Frames, JsonValue, Landing, Seconds, StationEvent
from radio.worker.pcm_ring import HISTORY
from radio.worker.supervisor import WORKER_COMMAND
from radio.worker.wire import (
    PERFORMED,
    PRIMED,
    TRACK,
    ChangeControls,
    ControlsLanded,
    Cut,
    Encoded,
    EncoderFailed,
    Message,
    PerformAction,
    PrimeStation,
    Render,
    Rendered,
    Rewound,
    StationBroke,
)

if TYPE_CHECKING:
    from radio.settings.station import StationSettings

_SHOWN: Final = frozenset({"title", "description", "image", "push", "controls"})
"""Settings that a running worker need not know."""
SAVE_INTERVAL: Seconds = 10.0
"""Time between two saves of the state: music that is repeated at most after the process was killed."""

_PAST: Frames = round(HISTORY * SAMPLE_RATE)
"""Sound before the live edge that a restarted station has at once, for the bursts of its listeners."""

_WARM_UP: Frames = SAMPLE_RATE // 4
"""Sound before the end of the mounts that the encoders of a new worker need."""

_RESTART: Frames = 6 * SAMPLE_RATE
"""Reserve that a station keeps when its worker is replaced because of new settings: they are heard after that."""

_TRIES = 3
"""Workers that may end at one place of a piece; then another piece begins."""

_PROGRESS: Frames = 2 * SAMPLE_RATE
"""A worker that rendered less than this counts as one that ended where it began."""


class Channel:
    """A station on the air.

    Args:
        settings: The station.
        worker: The command that becomes the worker; tests pass one with another station in it.
        states: The folder where the station's state is kept; None keeps it in memory only.
        copies: Makes copies of the station's files; those that several stations use are made once.
        clock: The clock by which audio is released.
    """

    def __init__(
        self,
        settings: StationSettings,
        *,
        worker: Sequence[str] = WORKER_COMMAND,
        states: StateFolder | None = None,
        copies: FileCopies | None = None,
        clock: WallClock | None = None,
    ) -> None:
        self.settings = settings
        self.controls = settings.controls
        self.now_playing = NowPlaying()
        self.journal = Journal()
        self.subscribers = Subscribers()
        self.hls_listeners = HlsListeners()
        self.runs: deque[WorkerRun] = deque(maxlen=MAX_RUNS)
        self._clock = clock or WallClock()
        self.edge = LiveEdge(self._clock.now)
        self._mounts = MountSet(settings, self.edge)
        self.encoder_restarts = 0
        self.rewinds = 0
        """Times that a part of the reserve was rendered again because of a change."""
        self._log = logging.getLogger(f"radio.station.{settings.name}")
        self.faults: Counter[str] = Counter()
        """Stations that broke while they played, by what was wrong with them."""
        self._fault_at: Frames | None = None
        """The frame, on the worker's clock, from which its audio is at fault."""
        self._stand_ins = StandIns(settings.name, worker, self.edge, self._mounts, self._on_encoder_failure)
        callbacks = WorkerCallbacks(
            self._next_start, self._on_worker_ready, self._on_message, self._on_worker_failure, self._on_worker_exit
        )
        self._worker = RestartingWorker(settings, worker, callbacks, copies or FileCopies(), self._stand_ins.ring)
        self._snapshots = Snapshots()
        self._states = states
        self._offset: Frames = 0
        """The channel's frame is the worker's plus this: a new worker begins where the last one ended."""
        self._requested: Frames = 0
        """The frame, on the worker's clock, up to which audio was requested."""
        self._silence = StallWatch()
        self._lead = Lead()
        self._reserve = ReserveWatch(self._clock.now)
        self._fruitless = 0
        """Workers in a row that ended before they had rendered anything new."""
        self._resumed_at: Frames = 0
        self._config_changes: Mapping[str, JsonValue] = {}
        """Controls that the config has changed since the state was saved."""
        self._pending_events: deque[AirEvent] = deque()
        self._on_air: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []
        if states is not None and (saved := states.load(settings.name)) is not None:
            self._take_over(saved, states)

    @property
    def mounts(self) -> Mapping[Format, Mount]:
        """The mounts that were requested so far."""
        return self._mounts.mounts

    @property
    def pid(self) -> int | None:
        return self._worker.pid

    @property
    def restarts(self) -> int:
        """The number of workers that were replaced."""
        return self._worker.restarts

    @property
    def listeners(self) -> int:
        """The number of listeners of all mounts and of HLS."""
        return sum(mount.relay.listeners for mount in self.mounts.values()) + len(self.hls_listeners)

    @property
    def tiers(self) -> Tiers:
        """The sound at the live edge: the music, or something in its place."""
        return self._stand_ins.tiers

    @property
    def starved(self) -> int:
        """The number of listeners whose players have nothing to play."""
        return sum(mount.relay.starved for mount in self.mounts.values())

    async def start(self) -> None:
        """Start the worker, and return when the station is on the air.

        Raises:
            ServerError: The worker cannot open the station, or ended before the station was on the air. Others are
                started until `stop`, and textures play until one can open it.
        """
        self._tasks = [asyncio.create_task(self._pace()), asyncio.create_task(self._worker.run())]
        if self._states is not None:
            self._tasks.append(asyncio.create_task(self._keep_state()))
        await asyncio.wait([self._on_air, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            if task.done():
                task.result()
        self._on_air.result()
        if self._config_changes:
            await self.change_controls(self._config_changes)

    async def ended(self) -> None:
        """Wait until cancelled; raise an unexpected error, rather than let a silent station look healthy."""
        await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        """Disconnect the listeners and end the worker."""
        for task in reversed(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, self._stand_ins.stop(), return_exceptions=True)
        await self.save_state()
        self._mounts.close()
        self.subscribers.close()
        self._on_air.cancel()

    async def change_controls(
        self, patch: Mapping[str, JsonValue], later: Sequence[Mapping[str, JsonValue]] = ()
    ) -> dict[str, Landing]:
        """Change controls; return where each takes effect, on the channel's clock.

        Args:
            patch: Values by control.
            later: Changes of the bars after that, in order. `controls` has their last values at once, and the history
                each step when the worker has made it.

        Raises:
            ControlError: A name or a value is not allowed; nothing has changed.
            ServerError: The worker is being restarted or does not answer.
        """
        for step in (patch, *later):
            self.controls.changed(step)  # an error costs no round trip to the worker
        landed = await self._ask(lambda number: ChangeControls(number, patch, later))
        self._snapshots.record(landed.mixed, patch, later)
        landings = {name: self._landing(landing) for name, landing in landed.landings.items()}
        self.controls = self.controls.changed(patch)
        self.runs[-1].change_controls(landings, self.controls.as_json())
        self.runs[-1].expect(landings, later)
        for step in later:
            self.controls = self.controls.changed(step)
        return landings

    async def reconfigure(self, settings: StationSettings) -> None:
        """Replace the settings; the streams go on.

        Controls that were changed on the air keep their values where the config has not changed them. A new worker
        goes on with the piece if the music or the sound depends on what has changed; another seed begins another piece.

        Raises:
            ServerError: The worker is being restarted or does not answer; the settings are replaced nevertheless, but
                not the controls.
        """
        before, self.settings, self._mounts.settings = self.settings, settings, settings
        names = [field.name for field in fields(settings) if field.name not in _SHOWN]
        changed_controls = settings.controls.changes_from(before.controls)
        if any(getattr(settings, name) != getattr(before, name) for name in names):
            if settings.seed not in (0, before.seed):
                self._snapshots.clear()
            self._worker.replace(settings)
        if changed_controls:
            await self.change_controls(changed_controls)

    async def act(self, action: Action) -> Landing:
        """Do what a listener asks for with the next bar that is not composed yet; return from where on it counts.

        An opinion without a track counts for the one at the live edge.

        Raises:
            ControlError: There is no such track to like or dislike.
            ServerError: The worker is being restarted or does not answer.
        """
        if action.kind in ("like", "dislike") and action.track is None and self.now_playing.tracks:
            action = replace(action, track=self.now_playing.tracks[-1].event.number)
        landed = await self._ask(lambda number: PerformAction(number, action.kind, action.track))
        self._snapshots.record(landed.mixed, action=action)
        landing = self._landing(landed.landings[PERFORMED])
        self.runs[-1].act(landing, action)
        return landing

    async def prime_station(self, prime: Mapping[str, JsonValue]) -> Landing:
        """Let the next tracks take up a prime; return where the first of them begins.

        Raises:
            ServerError: The worker is being restarted or does not answer.
        """
        landed = await self._ask(lambda number: PrimeStation(number, prime))
        self._snapshots.record(landed.mixed, prime=prime)
        self.runs[-1].prime(self._landing(landed.landings[PRIMED]), prime)
        return self._landing(landed.landings[TRACK])

    def record_stream_start(self, sid: str, first: Frames) -> None:
        """Record the first frame of the audio stream `sid`, and send it to the event streams of the same `sid`."""
        self.subscribers.record_stream_start(sid, first, self.edge.live)

    def mount(self, format_: Format) -> Mount:
        """Return the mount of a format. It is encoded while it has listeners or taps, and for a while after."""
        return self._mounts.mount(format_)

    @contextlib.asynccontextmanager
    async def tap(self, format_: Format, *, history: Seconds = 0.0) -> AsyncIterator[Tap]:
        """Open a tap of a format: its packets, stamped on the channel's clock, as the live edge reaches them.

        A tap continues across restarts of the worker. Iterating raises StreamError if the reader falls behind by a
        minute; a slow reader delays no other.

        Args:
            format_: The format; its encoder is started if necessary, and runs until the tap is closed.
            history: Seconds of the past to begin with, as far as they are available: 30 at most.
        """
        with self._mounts.tap(format_, history=history) as tap:
            yield tap

    async def save_state(self) -> None:
        """Write what the station needs to go on in another process, if there is a folder for it."""
        chosen = self._snapshots.choose(self.edge.live - self._offset, _PAST)
        if self._states is None or chosen is None or not self.runs or self._stand_ins.stopped_at is not None:
            return
        snapshot, log = chosen
        saved = SavedStation(
            self.settings.name,
            __version__,
            time.time(),
            self.settings.seed,
            self.settings.controls.as_json(),
            self.edge.live,
            self._offset,
            saved_run(self.runs[-1]),
            self.controls.as_json(),
            snapshot,
            log,
            saved_tracks(self.now_playing.tracks),
        )
        try:
            await asyncio.to_thread(self._states.write, self.settings.name, saved)
        except OSError as error:
            self._log.error("station '%s': its state cannot be saved: %s", self.settings.name, error)

    def _take_over(self, saved: SavedStation, states: StateFolder) -> None:
        """Go on with a saved piece, unless the config asks for another one."""
        if self.settings.seed not in (0, saved.asked_seed):
            self._log.warning("station '%s': its seed was changed: it begins a new piece", self.settings.name)
            return
        try:
            run, controls = worker_run(saved, self.settings), self.controls.changed(saved.controls)
        except ControlError as error:
            states.set_aside(self.settings.name, str(error))
            return
        self.runs.append(run)
        self.controls = controls
        self._config_changes = {
            name: value
            for name, value in self.settings.controls.as_json().items()
            if value != saved.asked_controls.get(name, value)
        }
        self.now_playing.tracks.extend(aired_tracks(saved))
        self._offset = saved.origin
        self.edge.live = self.edge.end = saved.live
        self._snapshots.load(saved.snapshot, saved.log)

    async def _keep_state(self) -> None:
        while True:
            await self._clock.sleep(SAVE_INTERVAL)
            await self.save_state()

    async def _pace(self) -> None:
        """Advance the live edge: release audio and events that are due, and request more from the worker."""
        due = self._clock.now()
        while True:
            self.edge.advance()
            self._watch_worker()
            self._watch_reserve()
            self._air_events()
            self._request_audio()
            self._watch_tiers()
            source, offset = self._source()
            self._mounts.advance(source.send if source.ready else None, offset)
            due = max(due + ADVANCE_INTERVAL, self._clock.now())
            await self._clock.sleep(due - self._clock.now())

    def _air_events(self) -> None:
        while self._pending_events and self._pending_events[0].frame < self.edge.live:
            event = self._pending_events.popleft()
            self.now_playing.air(event, time.time())
            self.journal.add(event)
            self.subscribers.publish(event)

    def _source(self) -> tuple[StandIn | RestartingWorker, Frames]:
        """Return what plays, and its frame 0 on the channel's clock."""
        stand_in = self._stand_ins.current
        return (self._worker, self._offset) if stand_in is None else (stand_in, stand_in.start)

    async def _ask(self, message: Callable[[int], Message]) -> ControlsLanded:
        """Send a request to the worker, and return its answer. The worker knows where the live edge is by now."""
        self._request_audio()
        return await self._worker.request(message)

    def _request_audio(self) -> None:
        self._stand_ins.request_audio()
        if self._worker.ready:
            self._requested = max(self._requested, render_until(self.edge.live, self.edge.end) - self._offset)
            self._worker.send(Render(self._requested, self._fixed))

    @property
    def _fixed(self) -> Frames:
        """The first frame that a change may replace, on the worker's clock."""
        return self.edge.live + self._lead.frames - self._offset

    def _landing(self, landing: Landing) -> Landing:
        return Landing(landing.bar, landing.frame + self._offset)

    def _watch_reserve(self) -> None:
        if self.edge.started and self._reserve.changed(self.edge.reserve):
            seconds, name = self.edge.reserve, self.settings.name
            if self._reserve.low:
                self._log.warning("station '%s' has only %.1f s of audio in reserve", name, seconds)
            else:
                self._log.info("station '%s' has %.1f s of audio in reserve again", name, seconds)

    def _watch_worker(self) -> None:
        """Replace a worker that owes audio and has stopped, before the reserve ends."""
        owes = self._worker.ready and self.edge.end < self._requested + self._offset
        if self._silence.is_over(owes=owes, reserve=self.edge.reserve, processor_time=self._worker.processor_time):
            self._worker.kill(f"the worker sent nothing for {self._silence.silence:.1f} s")

    def _next_start(self, digests: Mapping[str, str]) -> tuple[StationSettings, Resume | None]:
        """Return how the next worker begins: where the last one ended, if that is possible, or with a new piece."""
        end = self._stand_ins.place_of_music(self._bar_lines())
        frame = self._resumed_at = self.edge.end - self._offset if end is None else end
        if self._fruitless >= _TRIES:
            self._begin_anew(f"{self._fruitless} workers ended at the same place")
        # A format that is opened later begins at the live edge, so the sound of the reserve is needed, too.
        past, first = (self.edge.end - self.edge.live + _WARM_UP, False) if self.edge.started else (_PAST, True)
        known = self.runs and self.runs[-1].digests == digests
        if known and (resume := self._snapshots.resume(frame, past=past, with_events=first)):
            run = self.runs[-1]
            return replace(self.settings, seed=run.settings.seed, controls=run.settings.controls), resume
        played = {0, *(run.settings.seed for run in self.runs)}
        seed = self.settings.seed if self.settings.seed not in played else 1 + secrets.randbelow(2**31)
        self._log.info("station '%s' begins a new piece from seed %d", self.settings.name, seed)
        return replace(self.settings, controls=self.controls, seed=seed), None

    def _begin_anew(self, reason: str) -> None:
        """Let the next worker begin a new piece."""
        if self._states is not None and not self.edge.started:
            self._states.set_aside(self.settings.name, reason)
        else:
            self._log.error("station '%s' begins a new piece: %s", self.settings.name, reason)
        self._snapshots.clear()
        self._fruitless = 0

    def _on_worker_ready(self, station: StartedStation) -> None:
        """Request audio, and reopen the formats that the last worker encoded."""
        before = self._offset
        place = self._stand_ins.end(station.frame, self._lead.frames)
        if place is not None:
            self._drop(place)
        if not station.resumed:
            self.edge.rewind(self._mounts.end_after_worker())  # it has no sound for a packet that begins before
        if place is not None or not station.resumed:
            self._offset = self.edge.end - station.frame
        if not station.resumed:
            if self.runs and self.runs[-1].digests != station.digests:
                self._begin_anew("its models were changed")
            self._snapshots.begin()
            self._stand_ins.begin_piece(station.frame)
        if self._offset != before or not station.resumed or station.settings != self.runs[-1].settings:
            self._add_run(station)
        self._requested = station.frame
        self._request_audio()
        self._mounts.reopen(self._worker.send, self._offset)

    def _add_run(self, station: StartedStation) -> None:
        """Record that another piece begins, or that the last one goes on with other settings."""
        last = self.runs[-1] if self.runs else None
        number = 0 if last is None else last.number + 1
        run = WorkerRun(number, station.settings, time.time(), self._offset, station.digests)
        if last is not None and station.resumed:
            run.begins, run.controls, run.whole = station.frame + self._offset, last.controls, last.whole
            run.changes.extend(last.moved_changes(run.origin))
        self.runs.append(run)

    def _on_message(self, message: Message) -> None:
        self._silence.reset()
        match message:
            case Snapshot():
                self._snapshots.add(message)
                self._snapshots.forget(self.edge.live - self._offset - _PAST)
            case Encoded(format_, packet):
                self._mounts.add(format_, replace(packet, frame=packet.frame + self._offset))
            case Rendered(frame):
                self.edge.extend(frame + self._offset)
                self._stand_ins.rendered(frame)
                if self.edge.started and not self._on_air.done():
                    self._on_air.set_result(None)
            case Rewound(frame):
                self._cut(frame)
            case StationEvent():
                event = read_event(message, self._offset)
                if isinstance(event, ControlEvent):
                    self.runs[-1].record_step(event)
                self._pending_events.append(event)
                self.now_playing.announce(event)
            case EncoderFailed(format_, reason):
                self._on_encoder_failure(format_, reason)
            case StationBroke(reason, fault, frame):
                self.faults[fault] += 1
                self._fault_at = frame
                raise ServerError(reason)
            case _:
                raise StreamError(f"the worker sent a {type(message).__name__}, which only the server sends")

    def _cut(self, frame: Frames) -> None:
        """Drop what is rendered from `frame` on, on the worker's clock, if the live edge is not too near to it."""
        place = frame + self._offset
        self._lead.observe((place - self.edge.live) / SAMPLE_RATE)
        done = place >= min(self.edge.live + MARGIN, self.edge.end)
        if done:
            self.rewinds += 1
            self._drop(place)
            self._snapshots.retract(frame - 1)  # one at `frame` was taken before the change
            self._resumed_at = min(self._resumed_at, frame)
            self._requested = frame
            self._begin_run_at(place)
        self._worker.send(Cut(self._fixed, done))
        self._request_audio()

    def _drop(self, place: Frames) -> None:
        """Drop the audio and the events from frame `place` on, on the channel's clock: others take their place."""
        self.edge.rewind(place)
        self._mounts.cut(place)
        self._pending_events = deque(event for event in self._pending_events if event.frame < place)
        self.now_playing.retract(place)
        if self.runs:
            self.runs[-1].retract(place)

    def _begin_run_at(self, place: Frames) -> None:
        """Let the last run begin where it is heard: a worker with new settings may go back before its first frame."""
        if self.runs[-1].begins > place:
            self.runs[-1].begins = place
            while len(self.runs) > 1 and self.runs[-2].begins >= place:
                del self.runs[-2]

    def _on_encoder_failure(self, format_: Format, reason: str) -> None:
        self.encoder_restarts += 1
        self._log.error("station '%s': %s: %s", self.settings.name, format_, reason)

    def _watch_tiers(self) -> None:
        """Let a stand-in play before the reserve of a station without a worker ends."""
        self._stand_ins.watch()
        if self._on_air.done() and not self._worker.ready and self._stand_ins.is_due:
            settings = replace(self.settings, controls=self.controls)
            self._stand_ins.begin(settings, self.edge.end - self._offset, self._bar_lines())

    def _bar_lines(self) -> list[Frames]:
        """Return the bar lines of the last run that are known, on the worker's clock."""
        if not self.runs:
            return []
        coming = (event.frame for event in self._pending_events if isinstance(event, BarEvent))
        frames = (*(bar.frame for bar in self.journal.bars), *coming)
        return [frame - self._offset for frame in frames if frame >= self.runs[-1].begins]

    def _on_worker_exit(self, planned: bool) -> None:
        """Drop what the worker announced but did not play; after a planned end, most of the reserve, too."""
        if self._stand_ins.current is not None:
            self._fruitless += 1
            return
        place = self._mounts.end_after_worker()
        if planned:
            place = min(place, self.edge.live + _RESTART)
        if self._fault_at is not None:
            place = min(place, max(self.edge.live + self._lead.frames, self._fault_at + self._offset))
            self._fault_at = None
        self._drop(place)
        end = place - self._offset
        self._fruitless = self._fruitless + 1 if end <= self._resumed_at + _PROGRESS else 0
        if self._fruitless >= _TRIES:
            self._worker.forget_files()
        self._snapshots.retract(end)

    def _on_worker_failure(self, error: Exception) -> None:
        if isinstance(error, OpeningError):
            self._fruitless = 0  # the piece is not to blame
        if isinstance(error, SnapshotError):
            self._begin_anew(str(error))
        elif not self._on_air.done():
            self._on_air.set_exception(ServerError(f"station '{self.settings.name}' cannot start: {error}"))
        else:
            self._log.error("station '%s': %s", self.settings.name, error)
