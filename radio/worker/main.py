"""One station in a process of its own: renders, encodes, and hands packets and events to the front.

`python -m radio.worker.main FD` is started by the front, which holds the other end of the socket FD and the only
clock: it
says how far to render, the worker obeys and waits. The worker ends when the front closes its end or dies.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import socket
import sys

from radio.errors import ControlError, RadioError, StreamError
from radio.station.protocol import OpenStation, StationLike
from radio.types import SAMPLE_RATE, Frames
from radio.worker.encoder_set import EncoderSet
from radio.worker.wire import (
    SKIPPED,
    ChangeControls,
    CloseFormat,
    ControlsLanded,
    ControlsRefused,
    Message,
    MessageDecoder,
    OpenFormat,
    Render,
    Rendered,
    SkipTrack,
    Start,
    StationFailed,
    StationReady,
    encode,
)

RENDER_STEP: Frames = 3_840
"""Frames rendered between two looks at the socket: one Ogg page, 80 ms."""

CATCH_UP_STEP: Frames = SAMPLE_RATE // 2
"""Frames of the past that a new encoder is given between two looks: 10 to 25 ms of work."""

URGENT: Frames = SAMPLE_RATE
"""A station that owes this much audio renders, and lets new encoders wait: the live edge comes first."""

_READ_SIZE = 65_536


def run(front: socket.socket, open_station: OpenStation) -> None:
    """Serve one station over `front` until the other side is gone.

    Args:
        front: A connected stream socket; its first message is `Start`.
        open_station: Opens the station that the settings in `Start` describe. A RadioError is told to the front.

    Raises:
        StreamError: The other side does not speak our wire format, or the encoder failed.
        RadioError: The station failed while it played.
    """
    try:
        _Worker(front).run(open_station)
    except (BrokenPipeError, ConnectionResetError, EOFError):
        return


class _Worker:
    def __init__(self, front: socket.socket) -> None:
        self._front = front
        self._decoder = MessageDecoder()
        self._until: Frames = 0

    def run(self, open_station: OpenStation) -> None:
        while not (messages := self._receive()):
            pass
        start, *rest = messages
        if not isinstance(start, Start):
            raise StreamError(f"the front began with a {type(start).__name__} instead of Start")
        try:
            station = open_station(pickle.loads(start.settings))  # noqa: S301 — our own parent process wrote it
        except RadioError as error:
            self._send(StationFailed(str(error)))
            return
        try:
            self._play(station, rest)
        finally:
            station.close()

    def _play(self, station: StationLike, messages: list[Message]) -> None:
        encoders = EncoderSet(station.position)
        self._until = station.position
        self._send(StationReady(station.position))
        while True:
            for message in messages:
                self._obey(station, encoders, message)
            owed = self._until - station.position
            if owed > 0:
                encoders.add(station.render(RENDER_STEP))
            if owed > 0 or encoders.has_work:
                packets = encoders.encode(RENDER_STEP if owed > URGENT else CATCH_UP_STEP)
                self._send(*station.events(), *packets, Rendered(station.position))
            busy = station.position < self._until or encoders.has_work
            readable, _, _ = select.select([self._front], [], [], 0 if busy else None)
            messages = self._receive() if readable else []

    def _obey(self, station: StationLike, encoders: EncoderSet, message: Message) -> None:
        match message:
            case Render(until):
                self._until = until
            case OpenFormat(format_, frame):
                encoders.open(format_, frame)
            case CloseFormat(format_):
                encoders.close(format_)
            case ChangeControls(number, patch):
                try:
                    self._send(ControlsLanded(number, station.control(patch)))
                except ControlError as error:
                    self._send(ControlsRefused(number, str(error), error.field, error.allowed))
            case SkipTrack(number):
                self._send(ControlsLanded(number, {SKIPPED: station.skip()}))
            case _:
                raise StreamError(f"the front sent a {type(message).__name__}, which is not for workers")

    def _receive(self) -> list[Message]:
        data = self._front.recv(_READ_SIZE)
        if not data:
            raise EOFError
        return self._decoder.feed(data)

    def _send(self, *messages: Message) -> None:
        self._front.sendall(b"".join(map(encode, messages)))


def main() -> None:
    """Entry point of `python -m radio.worker.main FD`."""
    from radio.station.factory import open_station

    # Ctrl-C reaches the whole process group; the front decides what stops, and in which order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The front moves a page every few milliseconds and must not wait for us; we are seconds ahead.
    os.nice(5)
    with socket.socket(fileno=int(sys.argv[1])) as front:
        run(front, open_station)


if __name__ == "__main__":
    main()
