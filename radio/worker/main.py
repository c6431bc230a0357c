"""The worker: a process that renders and encodes one station and sends packets and events to the server.

The server starts `python -m radio.worker.main FD` and holds the other end of the socket FD. The worker has no clock: it
renders as far as the server requests, then waits. It ends when the server closes its end of the socket or dies.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import socket
import sys
from collections.abc import Callable, Mapping

from radio.compose.prime import from_json
from radio.errors import ControlError, RadioError, SnapshotError, StreamError
from radio.files import use_copies
from radio.station.protocol import OpenResumable, ResumableStation
from radio.station.snapshot import Resume
from radio.types import SAMPLE_RATE, Action, Frames, Landing, StationEvent
from radio.worker.encoder_set import EncoderSet
from radio.worker.wire import (
    PERFORMED,
    ChangeControls,
    CloseFormat,
    ControlsLanded,
    ControlsRefused,
    Message,
    MessageDecoder,
    OpenFormat,
    PerformAction,
    PrimeStation,
    Render,
    Rendered,
    Start,
    StationFailed,
    StationReady,
    encode,
)

RENDER_STEP: Frames = 3_840
"""Frames rendered between two polls of the socket: one Ogg page, 80 ms."""

CATCH_UP_STEP: Frames = SAMPLE_RATE // 2
"""Frames of past audio that a new encoder gets between two polls of the socket: 10 to 25 ms of work."""

URGENT: Frames = SAMPLE_RATE
"""If more audio than this remains to be rendered, rendering has priority over encoding past audio."""

_READ_SIZE = 65_536


def run(connection: socket.socket, open_station: OpenResumable) -> None:
    """Run one station until the server closes the connection.

    Args:
        connection: a connected stream socket; its first message is `Start`.
        open_station: opens the station with the settings in `Start`. If it raises RadioError, the message is sent to
            the server.

    Raises:
        StreamError: the server sent an invalid message.
        RadioError: the station failed while it played.
    """
    try:
        _Worker(connection).run(open_station)
    except (BrokenPipeError, ConnectionResetError, EOFError):
        return


class _Worker:
    """The loop of a worker, on one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._decoder = MessageDecoder()
        self._until: Frames = 0

    def run(self, open_station: OpenResumable) -> None:
        while not (messages := self._receive()):
            pass
        start, *rest = messages
        if not isinstance(start, Start):
            raise StreamError(f"the first message must be Start, not {type(start).__name__}")
        use_copies(start.files)
        try:
            station = open_station(pickle.loads(start.settings))  # noqa: S301 — written by the parent process
        except RadioError as error:
            self._send(StationFailed(str(error)))
            return
        try:
            encoders = self._begin(station, start.resume)
            self._play(station, encoders, rest)
        except SnapshotError as error:
            self._send(StationFailed(str(error), in_snapshot=True))
        finally:
            station.close()

    def _begin(self, station: ResumableStation, resume: Resume | None) -> EncoderSet:
        """Go on where another worker stopped, and return encoders that know the sound before.

        Raises:
            SnapshotError: the snapshot cannot be used.
        """
        events: list[StationEvent] = []
        if resume is not None:
            station.resume(resume.snapshot, resume.log)
            while (missing := resume.sound_from - station.position) > 0:
                station.render(min(RENDER_STEP, missing))
                events += self._report(station, since=resume.events_from)
        encoders = EncoderSet(station.position)
        while resume is not None and (missing := resume.frame - station.position) > 0:
            encoders.add(station.render(min(RENDER_STEP, missing)))
            events += self._report(station, since=resume.events_from)
        self._until = station.position
        self._send(StationReady(station.position), *events)
        return encoders

    def _report(self, station: ResumableStation, *, since: Frames = 0) -> list[StationEvent]:
        """Send a snapshot that the station has taken, and return its new events from frame `since` on."""
        if snapshot := station.take_snapshot():
            self._send(snapshot)
        return [event for event in station.events() if event.frame >= since]

    def _play(self, station: ResumableStation, encoders: EncoderSet, messages: list[Message]) -> None:
        while True:
            for message in messages:
                self._handle(station, encoders, message)
            missing = self._until - station.position
            if missing > 0:
                encoders.add(station.render(RENDER_STEP))
            if missing > 0 or encoders.has_work:
                packets = encoders.encode(RENDER_STEP if missing > URGENT else CATCH_UP_STEP)
                self._send(*self._report(station), *packets, Rendered(station.position))
            busy = station.position < self._until or encoders.has_work
            readable, _, _ = select.select([self._connection], [], [], 0 if busy else None)
            messages = self._receive() if readable else []

    def _handle(self, station: ResumableStation, encoders: EncoderSet, message: Message) -> None:
        match message:
            case Render(until):
                self._until = until
            case OpenFormat(format_, frame):
                encoders.open(format_, frame)
            case CloseFormat(format_):
                encoders.close(format_)
            case ChangeControls(number, patch, later):
                self._answer(number, station.mixed, lambda: station.control(patch, later))
            case PerformAction(number, kind, track):
                self._answer(number, station.mixed, lambda: {PERFORMED: station.act(Action(kind, track))})
            case PrimeStation(number, fields):
                self._answer(number, station.mixed, lambda: station.prime(from_json(fields)))
            case _:
                raise StreamError(f"unexpected message from the server: {type(message).__name__}")

    def _answer(self, number: int, mixed: Frames, change: Callable[[], Mapping[str, Landing]]) -> None:
        """Change the station, and send where that takes effect, or why it does not."""
        try:
            self._send(ControlsLanded(number, change(), mixed))
        except ControlError as error:
            self._send(ControlsRefused(number, str(error), error.field, error.allowed))

    def _receive(self) -> list[Message]:
        data = self._connection.recv(_READ_SIZE)
        if not data:
            raise EOFError
        return self._decoder.feed(data)

    def _send(self, *messages: Message) -> None:
        self._connection.sendall(b"".join(map(encode, messages)))


def main() -> None:
    """Entry point of `python -m radio.worker.main FD`."""
    from radio.station.factory import open_station

    # Ctrl-C signals the whole process group, but the server decides when a worker stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The server sends data every few milliseconds and must not be delayed; a worker is seconds ahead.
    os.nice(5)
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        run(connection, open_station)


if __name__ == "__main__":
    main()
