"""The worker: a process that renders and encodes one station and sends packets and events to the server.

The server starts `python -m radio.worker.main FD` and holds the other end of the socket FD. The worker has no clock: it
renders up to the frame that the server requests, then waits. Audio after the part that the server has declared fixed is
rendered again when the station is changed. The worker ends when the server closes its end of the socket or dies.
"""

from __future__ import annotations

import mmap
import os
import pickle
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from radio.audio.signal_guard import SignalError
from radio.compose.prime import from_json
from radio.errors import AudioError, ControlError, ModelError, RadioError, SnapshotError, StreamError
from radio.files import use_copies
from radio.memory import return_freed_blocks
from radio.settings.controls import CONTROLS
from radio.settings.station import StationSettings
from radio.station.fallback import FallbackStation
from radio.station.fallback_plan import Fallback
from radio.station.protocol import OpenResumable, ResumableStation
from radio.station.resume import Resume
from radio.types import SAMPLE_RATE, Action, Block, Frames, Landing, Seconds
from radio.worker.encoder_set import EncoderSet
from radio.worker.pcm_ring import PcmRing, open_memory
from radio.worker.rewinder import STEP, Rewinder
from radio.worker.wire import (
    PERFORMED,
    ChangeControls,
    CloseFormat,
    ControlsLanded,
    ControlsRefused,
    Cut,
    Message,
    MessageDecoder,
    OpenFormat,
    PerformAction,
    PrimeStation,
    Render,
    Rendered,
    Rewound,
    Start,
    StationBroke,
    StationFailed,
    StationReady,
    encode,
)

CATCH_UP_STEP: Frames = SAMPLE_RATE // 2
"""Frames of past audio passed to a new encoder between polls of the socket: 10 to 25 ms of work."""

URGENT: Frames = 2 * SAMPLE_RATE
"""With less audio than this in reserve, rendering has priority over encoding past audio; otherwise it comes second."""

PATIENCE: Seconds = 2.0
"""Longest time for which a change waits until `URGENT` is in reserve. The next bar may have to be composed again."""

PREPARED: Frames = SAMPLE_RATE // 2
"""Amount of changed audio that must be ready before it replaces the old audio: composing a bar may take a moment."""

_READ_SIZE = 65_536

_Change: TypeAlias = ChangeControls | PerformAction | PrimeStation


def run(connection: socket.socket, open_station: OpenResumable) -> None:
    """Run one station until the server closes the connection.

    Args:
        connection: a connected stream socket; its first message is `Start`.
        open_station: opens the station with the settings in `Start`. If it raises RadioError, or the station does so
            while playing, the message is sent to the server.

    Raises:
        StreamError: the server sent an invalid message.
    """
    try:
        _run(_Link(connection), open_station)
    except (BrokenPipeError, ConnectionResetError, EOFError):
        return


def _run(link: _Link, open_station: OpenResumable) -> None:
    while not (messages := link.receive()):
        pass
    start, *rest = messages
    if not isinstance(start, Start):
        raise StreamError(f"the first message must be Start, not {type(start).__name__}")
    use_copies(start.files)
    settings = pickle.loads(start.settings)  # noqa: S301 — written by the parent process
    memory = None if start.ring is None else open_memory(start.ring)
    try:
        if start.fallback is None:
            station = open_station(settings, begins=start.resume is None or not start.resume.snapshot)
        else:
            station, memory = _open_fallback(settings, start.fallback, memory), None
    except RadioError as error:
        link.send(StationFailed(str(error)))
        return
    try:
        _Worker(link, station, start.resume, memory, start.changes).play(rest)
    except SnapshotError as error:
        link.send(StationFailed(str(error), in_snapshot=True))
    except SignalError as error:
        link.send(StationBroke(str(error), error.fault, error.frame))
    except (AudioError, ModelError) as error:
        link.send(StationBroke(str(error), "failed", None))
    finally:
        station.close()


def _open_fallback(settings: StationSettings, fallback: Fallback, memory: mmap.mmap | None) -> FallbackStation:
    """Return a fallback with the audio that the station's last worker left in `memory`."""
    loop = fallback.loop
    if loop is None or memory is None:
        return FallbackStation(settings, None, np.zeros((0, 2), np.float32))
    ring = PcmRing(loop.start, memory=memory)
    ring.end = fallback.end
    return FallbackStation(settings, loop, ring.read(loop.start, fallback.end - loop.start))


class _Link:
    """The worker's end of the socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._decoder = MessageDecoder()

    def send(self, *messages: Message) -> None:
        self._connection.sendall(b"".join(map(encode, messages)))

    def receive(self, *, wait: bool = True) -> list[Message]:
        """Return the messages that have arrived; with `wait`, block until there is data.

        Raises:
            EOFError: the server has closed the connection.
        """
        try:
            data = self._connection.recv(_READ_SIZE, 0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        if not data:
            raise EOFError
        return self._decoder.feed(data)


@dataclass(slots=True)
class _Revision:
    """Audio that replaces the audio rendered before it, if the server agrees.

    frame: the first frame. answers: the answers to the changes that it begins with. blocks: the audio. reports: its
    snapshots and events. offered: True once the server has been asked.
    """

    frame: Frames
    answers: list[Message]
    blocks: list[Block] = field(default_factory=list)
    reports: list[Message] = field(default_factory=list)
    offered: bool = False


class _Worker:
    """The main loop of a worker.

    Args:
        link: The connection to the server.
        station: The station.
        resume: The place where the previous worker stopped; the station continues its piece from there.
        memory: Memory for the latest audio.
        changes: Changes to make at that place.

    Raises:
        SnapshotError: the snapshot cannot be used.
    """

    def __init__(
        self,
        link: _Link,
        station: ResumableStation,
        resume: Resume | None,
        memory: mmap.mmap | None,
        changes: Sequence[ChangeControls] = (),
    ) -> None:
        self._link = link
        self._station = station
        self._changes: list[_Change] = []
        """Changes that have not been made yet."""
        self._waits_until: float | None = None
        """The monotonic time until which they may wait for the reserve; None if there were none."""
        self._revision: _Revision | None = None
        self._fixed: Frames = 0
        """Audio before this frame must not be replaced."""
        if resume is not None:
            station.resume(resume.snapshot, resume.log)
        self._rewinder = Rewinder(station, resume)
        waiting, answers, reports = deque(changes), list[Message](), list[Message]()
        if resume is not None:
            while (missing := resume.sound_from - station.position) > 0:
                answers += self._make_due(waiting, resume.frame)
                station.render(min(STEP, missing))
                self._rewinder.mark(self._fixed)
                reports += self._reports(since=resume.events_from)
        self._encoders = EncoderSet(station.position, memory)
        while resume is not None and (missing := resume.frame - station.position) > 0:
            answers += self._make_due(waiting, resume.frame)
            self._encoders.add(station.render(min(STEP, missing)))
            self._rewinder.mark(self._fixed)
            reports += self._reports(since=resume.events_from)
        answers += self._make_due(waiting, station.position)
        self._changes += waiting
        self._until = station.position
        link.send(StationReady(station.position), *answers, *reports)

    def play(self, messages: list[Message]) -> None:
        """Handle the server's messages and render, until the server closes the connection."""
        while True:
            for message in messages:
                self._handle(message)
            held = False
            if self._changes and not (self._rewinder.under_way or self._revision):
                held = not self._may_change()
                if not held:
                    self._begin_changes()
            busy = self._revise() if self._rewinder.under_way or self._revision else self._advance()
            messages = self._link.receive(wait=not (busy or held))

    def _make_due(self, waiting: deque[ChangeControls], frame: Frames) -> list[Message]:
        """Make the changes planned for `frame` that are due.

        Changes to the music must be made before the bar that begins at `frame` is composed. Changes to the mix are made
        at the frame itself.
        """
        answers: list[Message] = []
        station = self._station
        while waiting and self._rewinder.has_caught_up and station.next_bar_line >= frame:
            if station.position < frame and all(CONTROLS[name].lands == "mix" for name in waiting[0].patch):
                break
            answers += self._change([waiting.popleft()])
            station.settle()
        return answers

    def _may_change(self) -> bool:
        """Return True if there is audio in reserve for the time that a change takes, or if it has waited long enough.

        Otherwise, changes in quick succession could use up the reserve of a busy machine.
        """
        if self._waits_until is None:
            self._waits_until = time.monotonic() + PATIENCE
        ready = self._station.position >= min(self._fixed + URGENT, self._until)
        return ready or time.monotonic() > self._waits_until

    def _begin_changes(self) -> None:
        """Change the station immediately if possible; otherwise begin a rewind."""
        near = self._rewinder.is_near(self._fixed)
        if near or not (self._rewinder.rests(self._fixed) or self._rewinder.begin(self._fixed)):
            self._link.send(*self._change(self._changes))
            self._station.settle()
            self._changes.clear()
            self._waits_until = None

    def _advance(self) -> bool:
        """Render and encode one step. Return True if there is more to do."""
        station, encoders = self._station, self._encoders
        urgent = station.position < self._fixed + URGENT
        renders = station.position < self._until and (urgent or not encoders.has_work)
        if renders:
            self._rewinder.mark(self._fixed)
            encoders.add(station.render(STEP))
        if renders or encoders.has_work:
            packets = encoders.encode(STEP if urgent else CATCH_UP_STEP)
            self._link.send(*self._reports(), *packets, Rendered(station.position))
        return station.position < self._until or encoders.has_work

    def _revise(self) -> bool:
        """Do one step of a rewind or of rendering the audio after it. Return True if there is more to do.

        The encoders continue with the old audio, which stays valid until the server agrees.
        """
        revision, station, encoders = self._revision, self._station, self._encoders
        if revision is None:
            if self._rewinder.advance():
                self._revision = _Revision(station.position, self._change(self._changes))
        elif not revision.offered:
            revision.blocks.append(station.render(STEP))
            revision.reports += self._reports()
            if station.position >= revision.frame + PREPARED:
                revision.offered = True
                self._link.send(Rewound(revision.frame))
        if encoders.has_work:
            self._link.send(*encoders.encode(STEP))
        return self._revision is None or not self._revision.offered or encoders.has_work

    def _settle(self, *, done: bool) -> None:
        """Replace the old audio with the revision if `done`, the server's answer, is True; otherwise rewind again."""
        revision, self._revision = self._revision, None
        if revision is None:
            return
        if not done:
            self._rewinder.begin_again(self._fixed)
            return
        self._rewinder.settle(self._fixed)
        self._encoders.rewind(revision.frame)
        for block in revision.blocks:
            self._encoders.add(block)
        del self._changes[: len(revision.answers)]
        self._waits_until = None
        self._until = self._station.position
        packets = self._encoders.encode(PREPARED + STEP)
        self._link.send(*revision.answers, *revision.reports, *packets, Rendered(self._station.position))

    def _reports(self, *, since: Frames = 0) -> list[Message]:
        """Return the station's new snapshot, if any, and its new events from frame `since` onward."""
        snapshot = self._station.take_snapshot()
        events = [event for event in self._station.events() if event.frame >= since]
        return [*events] if snapshot is None else [snapshot, *events]

    def _handle(self, message: Message) -> None:
        match message:
            case Render(until, fixed):
                self._until, self._fixed = until, fixed
            case OpenFormat(format_, frame):
                self._encoders.open(format_, frame)
            case CloseFormat(format_):
                self._encoders.close(format_)
            case ChangeControls() | PerformAction() | PrimeStation():
                self._changes.append(message)
            case Cut(fixed, done):
                self._fixed = fixed
                self._settle(done=done)
            case _:
                raise StreamError(f"unexpected message from the server: {type(message).__name__}")

    def _change(self, changes: Sequence[_Change]) -> list[Message]:
        """Change the station and set a mark. Return the landing of each change, or the reason why it was refused."""
        answers: list[Message] = []
        for change in changes:
            mixed = self._station.mixed
            try:
                answers.append(ControlsLanded(change.number, self._perform(change), mixed))
            except ControlError as error:
                answers.append(ControlsRefused(change.number, str(error), error.field, error.allowed))
        self._station.branch()
        return answers

    def _perform(self, change: _Change) -> Mapping[str, Landing]:
        match change:
            case ChangeControls(_, patch, later):
                return self._station.control(patch, later)
            case PerformAction(_, kind, track):
                return {PERFORMED: self._station.act(Action(kind, track))}
            case PrimeStation(_, fields):
                return self._station.prime(from_json(fields))


def main() -> None:
    """Entry point of `python -m radio.worker.main FD`."""
    from radio.station.factory import open_station

    return_freed_blocks()
    # Ctrl-C signals the whole process group, but the server decides when a worker stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The server sends data every few milliseconds and must not be delayed; a worker is seconds ahead.
    os.nice(5)
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        run(connection, open_station)


if __name__ == "__main__":
    main()
