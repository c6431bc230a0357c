"""One station as the front sees it: a worker process that is kept alive, its mounts, and what is on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from radio.errors import ControlError, ServerError, StreamError
from radio.server.broadcast.event_stream import Subscribers
from radio.server.broadcast.hls_listeners import HlsListeners
from radio.server.broadcast.journal import Journal
from radio.server.broadcast.now_playing import NowPlaying
from radio.server.broadcast.worker_runs import MAX_RUNS, WorkerRun, digests
from radio.stream.formats.muxers import open_muxer
from radio.stream.relay.live_edge import LiveEdge
from radio.stream.relay.mount import Mount
from radio.stream.relay.relay import ADVANCE_INTERVAL, LAG_LIMIT
from radio.stream.relay.tap import Tap
from radio.types import SAMPLE_RATE, Format, Frames, JsonValue, Landing, Seconds, StationEvent
from radio.worker.supervisor import WORKER_COMMAND, WorkerProcess, start_worker
from radio.worker.wire import (
    SKIPPED,
    ChangeControls,
    CloseFormat,
    ControlsLanded,
    ControlsRefused,
    Encoded,
    EncoderFailed,
    Message,
    OpenFormat,
    Render,
    Rendered,
    SkipTrack,
    Start,
    StationFailed,
    StationReady,
)

if TYPE_CHECKING:
    from radio.settings.station import StationSettings

RESERVE: Seconds = 3.0
"""Audio rendered ahead of the live edge: it hides a slow render, and it is how late a control change is heard."""

ANSWER: Seconds = 5.0
"""How long a control change waits for the worker."""

BACK_OFF: tuple[Seconds, ...] = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Waits before the worker's next start; from the beginning again once it has played for a minute."""

_SETTLED: Seconds = 60.0
_HELD_BACK: Frames = 4_800
"""More than any encoder holds back."""


class Channel:
    """Starts, feeds, watches and restarts the worker of one station, and airs what it sends.

    Args:
        settings: The station. After a restart the worker gets the controls as they were last set, and another seed, so
            that listeners do not hear the same beginning again.
        worker: The command that becomes the worker; tests name one with another station in it.
    """

    def __init__(self, settings: StationSettings, *, worker: Sequence[str] = WORKER_COMMAND) -> None:
        self.settings = settings
        self.controls = settings.controls
        self.now_playing = NowPlaying()
        self.journal = Journal()
        self.subscribers = Subscribers()
        self.runs: deque[WorkerRun] = deque(maxlen=MAX_RUNS)
        self.restarts = 0
        self.pid: int | None = None
        self.edge = LiveEdge(time.monotonic)
        self.mounts: dict[Format, Mount] = {}
        self.hls_listeners = HlsListeners()
        """The listeners of HLS."""
        self.encoder_restarts = 0
        self._worker = tuple(worker)
        self._offset: Frames = 0
        """The channel's frame is the worker's plus this: a new worker begins where the last one ended."""
        self._log = logging.getLogger(f"radio.station.{settings.name}")
        self._process: WorkerProcess | None = None
        self._until: Frames = 0
        self._coming: deque[StationEvent] = deque()
        self._given: tuple[StationSettings, Mapping[str, str]] = (settings, {})
        self._answers: dict[int, asyncio.Future[Mapping[str, Landing]]] = {}
        self._asked = 0
        self._first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the worker, and return when the station is on the air.

        Raises:
            ServerError: The worker cannot open the station, or died before it was on the air.
        """
        self._tasks = [asyncio.create_task(self._pace()), asyncio.create_task(self._keep_alive())]
        await asyncio.wait([self._first, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            if task.done():
                task.result()  # raises what should never happen, which would leave nobody to resolve the other
        self._first.result()

    async def ended(self) -> None:
        """Wait for ever; raises what should never happen, rather than let a silent station look well."""
        await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        """Disconnect the listeners and end the worker."""
        for task in reversed(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for mount in self.mounts.values():
            mount.close()
        self.subscribers.close()
        self._first.cancel()

    async def change(self, patch: Mapping[str, JsonValue]) -> dict[str, Landing]:
        """Change controls; return for each where it takes effect, in the mount's frames.

        Raises:
            ControlError: A name or a value that is not allowed; nothing has changed.
            ServerError: The worker is being restarted, or does not answer.
        """
        self.controls.changed(patch)  # raises before the worker is asked: what is wrong here is wrong there
        heard = await self._asking(lambda number: ChangeControls(number, patch))
        self.controls = self.controls.changed(patch)
        self.runs[-1].changed(heard, self.controls.as_json())
        return heard

    async def skip(self) -> Landing:
        """Begin the next track with the next bar that is not composed yet, and say which.

        Raises:
            ServerError: The worker is being restarted, or does not answer.
        """
        landing = (await self._asking(SkipTrack))[SKIPPED]
        self.runs[-1].skipped(landing)
        return landing

    async def _asking(self, message: Callable[[int], Message]) -> dict[str, Landing]:
        """Ask the worker, and wait for what it answers, in the mount's frames."""
        process = self._process
        if process is None or not process.ready:
            raise ServerError(f"{self.settings.name} is being restarted; try again in a few seconds")
        self._asked += 1
        number = self._asked
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            process.send(message(number))
            async with asyncio.timeout(ANSWER):
                landings = await answer
        except TimeoutError as error:
            raise ServerError(f"{self.settings.name} did not answer within {ANSWER:g} s") from error
        finally:
            self._answers.pop(number, None)
        return {name: Landing(landing.bar, landing.frame + self._offset) for name, landing in landings.items()}

    def record_stream_start(self, sid: str, first: Frames) -> None:
        """Note that the stream which was opened as `sid` begins with the mount's frame `first`; its page is told."""
        self.subscribers.record_stream_start(sid, first, self.edge.live)

    @property
    def listeners(self) -> int:
        """How many there are, on all mounts and of HLS."""
        return sum(mount.relay.listeners for mount in self.mounts.values()) + len(self.hls_listeners)

    def mount(self, format_: Format) -> Mount:
        """The mount of this format. It is encoded for as long as it has listeners or taps, and a while after."""
        if format_ not in self.mounts:
            muxer = open_muxer(format_, title=self.settings.title, description=self.settings.description)
            self.mounts[format_] = Mount(format_, muxer)
            self.mounts[format_].advance(self.edge.live)
        return self.mounts[format_]

    @contextlib.asynccontextmanager
    async def tap(self, format_: Format, *, history: Seconds = 0.0) -> AsyncIterator[Tap]:
        """A format's packets, stamped on the channel's clock, as they are let out at the live edge.

        They never stop while the station is on the air, whatever becomes of its worker. Iterating raises StreamError
        when the reader has fallen behind by a minute; it slows nobody down.

        Args:
            format_: What to encode; its encoder is started if need be, and kept at work.
            history: Seconds of the past that come first, as far as they are kept: 30 at most.
        """
        mount = self.mount(format_)
        tap = mount.tap(self.edge.live - round(history * SAMPLE_RATE))
        try:
            yield tap
        finally:
            mount.untap(tap)

    async def _pace(self) -> None:
        """The only clock: lets audio and events out when they are due, and asks the worker for more."""
        due = time.monotonic()
        while True:
            self.edge.advance()
            self._air()
            self._ask()
            for mount in self.mounts.values():
                self._tend(mount)
                mount.advance(self.edge.live)
            due = max(due + ADVANCE_INTERVAL, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    def _tend(self, mount: Mount) -> None:
        """Have a mount encoded while it is needed."""
        process = self._process
        if process is None or not process.ready or mount.needed == mount.encoding:
            return
        if mount.encoding:
            process.send(CloseFormat(mount.format))
            mount.encoding = False
        else:
            mount.resume_from(self._wanted(mount))
            self._open(mount, process)

    def _open(self, mount: Mount, process: WorkerProcess) -> None:
        process.send(OpenFormat(mount.format, self._wanted(mount) - self._offset))
        mount.encoding = True

    def _wanted(self, mount: Mount) -> Frames:
        """The frame from which a mount is to be encoded: where it ends, or as long ago as anybody may want to hear."""
        return max(self.edge.live - round(LAG_LIMIT * SAMPLE_RATE), mount.end or 0)

    def _air(self) -> None:
        while self._coming and self._coming[0].frame < self.edge.live:
            event = self._coming.popleft()
            self.now_playing.air(event, time.time())
            self.journal.add(event)
            self.subscribers.publish(event)

    def _ask(self) -> None:
        until = self.edge.live + int(RESERVE * SAMPLE_RATE) - self._offset
        if self._process is not None and self._process.ready and until > self._until:
            self._until = until
            self._process.send(Render(until))

    async def _keep_alive(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            try:
                await self._run_worker()
            except (ServerError, StreamError, OSError) as error:
                if not self._first.done():
                    self._first.set_exception(ServerError(f"station '{self.settings.name}' cannot start: {error}"))
                    return
                self._log.error("station '%s': %s", self.settings.name, error)
            failures = 1 if time.monotonic() - began > _SETTLED else min(failures + 1, len(BACK_OFF))
            await asyncio.sleep(BACK_OFF[failures - 1])
            self.restarts += 1

    async def _run_worker(self) -> None:
        """Run one worker until it ends; raises ServerError or StreamError with the reason, always."""
        async with start_worker(self._worker, self._log_worker_line) as process:
            self.pid = process.pid
            settings = replace(self.settings, controls=self.controls, seed=(self.settings.seed + self.restarts) % 2**63)
            process.send(Start(pickle.dumps(settings)))
            self._given = settings, await asyncio.to_thread(digests, settings)
            self._process = process
            try:
                while (messages := await process.receive()) is not None:
                    for message in messages:
                        self._take(message)
            finally:
                self._drop()
        raise ServerError(process.exit_message)

    def _log_worker_line(self, line: str) -> None:
        self._log.warning("station '%s': %s", self.settings.name, line)

    def _take(self, message: Message) -> None:
        match message:
            case Encoded(format_, packet):
                self.mount(format_).add(replace(packet, frame=packet.frame + self._offset))
            case Rendered(frame):
                self.edge.extend(frame + self._offset)
                if self.edge.on_air and not self._first.done():
                    self._first.set_result(None)
            case StationEvent():
                self._coming.append(replace(message, frame=message.frame + self._offset))
                self.now_playing.announce(self._coming[-1])
            case StationReady(frame) if self._process is not None:
                self._begin(self._process, frame)
            case EncoderFailed(format_, text):
                self.encoder_restarts += 1
                self._log.error("station '%s': %s: %s", self.settings.name, format_, text)
            case StationFailed(text):
                raise ServerError(text)
            case _:
                self._answer(message)

    def _begin(self, process: WorkerProcess, frame: Frames) -> None:
        """A worker is ready, at its `frame`: have it render, and encode what others encoded before it."""
        self._offset = self.edge.end - frame
        number = self.runs[-1].number + 1 if self.runs else 0
        settings, sums = self._given
        self.runs.append(WorkerRun(number, settings, time.time(), self._offset, sums))
        process.ready, self._until = True, frame
        self._ask()
        for mount in self.mounts.values():
            if mount.encoding:
                self._open(mount, process)

    def _answer(self, message: Message) -> None:
        match message:
            case ControlsLanded(number, landings):
                if (waiting := self._answers.get(number)) and not waiting.done():
                    waiting.set_result(landings)
            case ControlsRefused(number, text, name, allowed):
                if (waiting := self._answers.get(number)) and not waiting.done():
                    waiting.set_exception(ControlError(text, field=name, allowed=allowed))
            case _:
                raise StreamError(f"the worker sent a {type(message).__name__}, which is not for the front")

    def _drop(self) -> None:
        """Forget a worker that is gone, and what it announced but will never play."""
        self._process, self.pid = None, None
        # Encoders hold a few packets back. The next worker begins where the mounts end, so that no stream has a hole; a
        # mount whose burst was still being encoded has lost the rest of it.
        ends = [mount.end for mount in self.mounts.values() if mount.encoding and mount.end is not None]
        self.edge.rewind(min((end for end in ends if end > self.edge.end - _HELD_BACK), default=self.edge.end))
        self._coming = deque(event for event in self._coming if event.frame < self.edge.end)
        self.now_playing.retract(self.edge.end)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ServerError(f"{self.settings.name} is being restarted"))
