"""The path of a station's audio from its worker, or a stand-in, into the mounts and to the live edge."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from radio.errors import OpeningError, ServerError, SnapshotError, StreamError
from radio.server.api.controls import ControlEvent
from radio.server.api.events import read_event
from radio.server.broadcast.event_queue import EventQueue
from radio.server.broadcast.mount_set import MountSet
from radio.server.broadcast.piece import WARM_UP, Piece
from radio.server.broadcast.reserve import Lead, ReserveWatch, render_until
from radio.server.broadcast.restarting_worker import RestartingWorker, StartedStation, WorkerCallbacks
from radio.server.broadcast.stall_watch import StallWatch
from radio.server.broadcast.stand_in import StandIn
from radio.server.broadcast.stand_ins import StandIns
from radio.server.broadcast.state_folder import StateFolder
from radio.server.broadcast.station_files import FileCopies
from radio.station.resume import Resume, Snapshot
from radio.stream.relay.live_edge import LiveEdge
from radio.stream.relay.relay import ADVANCE_INTERVAL
from radio.stream.relay.wall_clock import WallClock
from radio.types import SAMPLE_RATE, Format, Frames, Seconds, StationEvent
from radio.worker.wire import (
    ChangeControls,
    ControlsLanded,
    Cut,
    Encoded,
    EncoderFailed,
    Message,
    Render,
    Rendered,
    Rewound,
    StationBroke,
)

if TYPE_CHECKING:
    from radio.settings.station import StationSettings

_RESTART: Final[Frames] = 6 * SAMPLE_RATE
"""Reserve that a station keeps when new settings replace its worker. They become audible after it."""


class Playout:
    """The worker of a station, its reserve, its mounts and its live edge.

    Args:
        piece: The music; its offset is set here.
        worker: The command that runs the worker.
        states: The folder with the station's state, which is set aside if no worker can resume from it.
        copies: Copies the station's files.
        clock: The clock by which audio is released.
    """

    def __init__(
        self,
        piece: Piece,
        worker: Sequence[str],
        states: StateFolder | None,
        copies: FileCopies,
        clock: WallClock,
    ) -> None:
        settings = piece.settings
        self.edge = LiveEdge(clock.now)
        self.mounts = MountSet(settings, self.edge)
        self.events = EventQueue()
        self.encoder_restarts = 0
        self.rewinds = 0
        """The number of times that part of the reserve was rendered again because of a change."""
        self.faults: Counter[str] = Counter()
        """The number of failures while the station played, by kind of fault."""
        self.stand_ins = StandIns(settings.name, worker, self.edge, self.mounts, self._on_encoder_failure)
        callbacks = WorkerCallbacks(
            self._next_start, self._on_worker_ready, self._on_message, self._on_worker_failure, self._on_worker_exit
        )
        self.worker = RestartingWorker(settings, worker, callbacks, copies, self.stand_ins.ring)
        self.on_air: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the live edge starts to move, or with an exception if the first worker could not play."""
        self._piece = piece
        self._states = states
        self._clock = clock
        self._name = settings.name
        self._log = logging.getLogger(f"radio.station.{settings.name}")
        self._requested: Frames = 0
        """The frame, on the worker's clock, up to which audio was requested."""
        self._fault_at: Frames | None = None
        """The first frame of faulty audio, on the worker's clock."""
        self._stall_watch = StallWatch()
        self._lead = Lead()
        self._reserve = ReserveWatch(clock.now)

    async def run(self) -> None:
        """Advance the live edge: release audio and events that are due, and request more from the worker."""
        due = self._clock.now()
        while True:
            self.edge.advance()
            self._watch_worker()
            self._watch_reserve()
            self.events.air(self.edge.live)
            self._request_audio()
            self._watch_tiers()
            source, offset = self._source()
            self.mounts.advance(source.send if source.ready else None, offset)
            due = max(due + ADVANCE_INTERVAL, self._clock.now())
            await self._clock.sleep(due - self._clock.now())

    def release_ahead(self, seconds: Seconds) -> None:
        """Release the next `seconds` of the reserve immediately."""
        self.edge.release_ahead(seconds)
        self.events.air(self.edge.live)
        self.mounts.advance(None, self._offset)

    async def ask(self, message: Callable[[int], Message]) -> ControlsLanded:
        """Tell the worker the position of the live edge, send it a request, and return its answer.

        Raises:
            ControlError: The worker refused the request.
            ServerError: The worker is being restarted or does not answer, or a stand-in plays.
        """
        if self.postpones:
            raise ServerError(f"{self._name} cannot play its music at present; try again when its tier is 'music'")
        self._request_audio()
        return await self.worker.request(message)

    @property
    def postpones(self) -> bool:
        """True if control changes wait for the next worker: the music has stopped, and no worker is opening."""
        return self.stand_ins.stopped_at is not None and not self.worker.opening

    @property
    def place_of_music(self) -> Frames | None:
        """The frame where the music resumes, on the worker's clock; None while it plays."""
        return self.stand_ins.place_of_music(self._bar_lines())

    @property
    def _offset(self) -> Frames:
        return self._piece.offset

    @property
    def _fixed(self) -> Frames:
        """The first frame that a change may replace, on the worker's clock."""
        return self.edge.live + self._lead.frames - self._offset

    def _source(self) -> tuple[StandIn | RestartingWorker, Frames]:
        """Return the process that plays, and the channel's frame at its frame 0."""
        stand_in = self.stand_ins.current
        return (self.worker, self._offset) if stand_in is None else (stand_in, stand_in.start)

    def _request_audio(self) -> None:
        self.stand_ins.request_audio()
        if self.worker.ready:
            self._requested = max(self._requested, render_until(self.edge.live, self.edge.end) - self._offset)
            self.worker.send(Render(self._requested, self._fixed))

    def _watch_reserve(self) -> None:
        if self.edge.started and self._reserve.changed(self.edge.reserve):
            seconds = self.edge.reserve
            if self._reserve.low:
                self._log.warning("station '%s' has only %.1f s of audio in reserve", self._name, seconds)
            else:
                self._log.info("station '%s' has %.1f s of audio in reserve again", self._name, seconds)

    def _watch_worker(self) -> None:
        """Replace a stalled worker that owes audio, before the reserve runs out."""
        owes = self.worker.ready and self.edge.end < self._requested + self._offset
        watch = self._stall_watch
        if watch.is_over(owes=owes, reserve=self.edge.reserve, processor_time=self.worker.processor_time):
            self.worker.kill(f"the worker sent nothing for {watch.silence:.1f} s")

    def _watch_tiers(self) -> None:
        """Start a stand-in before the reserve of a station without a worker runs out."""
        self.stand_ins.watch()
        if self.on_air.done() and not self.worker.ready and self.stand_ins.is_due:
            settings = replace(self._piece.settings, controls=self._piece.controls)
            self.stand_ins.begin(settings, self.edge.end - self._offset, self._bar_lines())

    def _bar_lines(self) -> list[Frames]:
        """Return the known bar lines of the last run, on the worker's clock."""
        if not self._piece.runs:
            return []
        return [frame - self._offset for frame in self.events.bar_lines(self._piece.runs[-1].begins)]

    def _drop(self, place: Frames, *, fades: bool = True) -> None:
        """Drop the audio and events from frame `place` of the channel onward, which others will replace."""
        self.edge.rewind(place)
        self.mounts.cut(place, fades=fades)
        self.events.retract(place)
        self._piece.retract(place)

    # ── A worker's life ──────────────────────────────────────────────────────────────────────────────────────────────

    def _next_start(
        self, digests: Mapping[str, str]
    ) -> tuple[StationSettings, Resume | None, tuple[ChangeControls, ...]]:
        """Return the next worker's settings, where it resumes the piece (None for a new one), and postponed changes."""
        place = self.place_of_music
        if self._piece.stuck:
            self._abandon_piece("several workers ended at the same place")
        # A format that is opened later begins at the live edge, so the audio of the reserve is needed, too.
        past = self.edge.end - self.edge.live + WARM_UP
        frame = self.edge.end - self._offset if place is None else place
        settings, resume = self._piece.next_start(digests, frame, past=past, with_events=not self.edge.started)
        return settings, resume, () if resume is None else self._piece.postponed.messages()

    def _abandon_piece(self, reason: str) -> None:
        """Make the next worker begin a new piece."""
        if self._states is not None and not self.edge.started:
            self._states.set_aside(self._name, reason)
        else:
            self._log.error("station '%s' begins a new piece: %s", self._name, reason)
        self._piece.forget()

    def _on_worker_ready(self, station: StartedStation) -> None:
        """Request audio, and reopen the formats that the last worker encoded."""
        place = self.stand_ins.end(station.frame, self._lead.frames)
        if place is not None:
            self._drop(place)
        if not station.resumed:
            self.edge.rewind(self.mounts.end_after_worker())  # it has no audio for a packet that begins earlier
            if not self._piece.is_continued_by(station):
                self._abandon_piece("its models were changed")
            self.stand_ins.begin_piece(station.frame)
        if place is not None or not station.resumed:
            self._piece.offset = self.edge.end - station.frame
        self._piece.add_run(station)
        self._requested = station.frame
        self._request_audio()
        self.mounts.reopen(self.worker.send, self._offset)

    def _on_message(self, message: Message) -> None:
        self._stall_watch.reset()
        match message:
            case Snapshot():
                self._piece.add_snapshot(message, self.edge.live)
            case Encoded(format_, packet):
                self.mounts.add(format_, replace(packet, frame=packet.frame + self._offset))
            case Rendered(frame):
                self._lead.arrive(self._clock.now())
                self.edge.extend(frame + self._offset)
                self.stand_ins.rendered(frame)
                if self.edge.started and not self.on_air.done():
                    self.on_air.set_result(None)
            case Rewound(frame):
                self._cut(frame)
            case ControlsLanded():
                self._piece.make_postponed(message)
            case StationEvent():
                event = read_event(message, self._offset)
                if isinstance(event, ControlEvent):
                    self._piece.runs[-1].record_step(event)
                self.events.add(event)
            case EncoderFailed(format_, reason):
                self._on_encoder_failure(format_, reason)
            case StationBroke(reason, fault, frame):
                self.faults[fault] += 1
                self._fault_at = frame
                raise ServerError(reason)
            case _:
                raise StreamError(f"the worker sent a {type(message).__name__}, which only the server sends")

    def _cut(self, frame: Frames) -> None:
        """Drop the audio from the worker's frame `frame` onward, unless the live edge is too close to it."""
        place = frame + self._offset
        left = (place - self.edge.live) / SAMPLE_RATE
        self._lead.observe(left)
        done = left >= min(self._lead.arrival, self.edge.reserve)
        if done:
            self.rewinds += 1
            self._lead.cut(self._clock.now())
            self._drop(place, fades=False)  # the station itself fades at the change
            self._requested = frame
            self._piece.rewind(frame)
        self.worker.send(Cut(self._fixed, done))
        self._request_audio()

    def _on_encoder_failure(self, format_: Format, reason: str) -> None:
        self.encoder_restarts += 1
        self._log.error("station '%s': %s: %s", self._name, format_, reason)

    def _on_worker_exit(self, planned: bool) -> None:
        """Drop events that the worker announced but did not play; after a planned exit, most of the reserve, too."""
        if self.stand_ins.current is not None:
            if not planned:
                self._piece.count_failure()
            return
        place = self.mounts.end_after_worker()
        if planned:
            place = min(place, self.edge.live + _RESTART)
        if self._fault_at is not None:
            place = min(place, max(self.edge.live + self._lead.frames, self._fault_at + self._offset))
            self._fault_at = None
        self._drop(place)
        self._piece.end_worker(place - self._offset)
        if planned:
            self._piece.excuse_failure()
        elif self._piece.stuck:
            self.worker.forget_files()

    def _on_worker_failure(self, error: Exception) -> None:
        if isinstance(error, OpeningError):
            self._piece.excuse_failure()
        if isinstance(error, SnapshotError):
            self._abandon_piece(str(error))
        elif not self.on_air.done():
            self.on_air.set_exception(ServerError(f"station '{self._name}' cannot start: {error}"))
        else:
            self._log.error("station '%s': %s", self._name, error)
