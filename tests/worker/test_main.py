from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from radio.errors import RadioError, StreamError
from radio.station.fallback_plan import LEAD, Fallback, Loop
from radio.station.resume import Resume
from radio.types import SAMPLE_RATE, Format, Landing, Packet, StationEvent
from radio.worker import main
from radio.worker.pcm_ring import HISTORY, RESERVE, RING_LENGTH, create_memory
from radio.worker.rewinder import STEP
from radio.worker.wire import (
    ChangeControls,
    CloseFormat,
    ControlsLanded,
    ControlsRefused,
    Encoded,
    Message,
    MessageDecoder,
    OpenFormat,
    Render,
    Rendered,
    Start,
    StationBroke,
    StationFailed,
    StationReady,
    encode,
)
from tests.server.tone_worker import BAR, SILENT_AT, ToneStation, settings

DEADLINE = 60.0


class WorkerConnection:
    """The server's end of the socket; every wait has a deadline."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self.socket.settimeout(DEADLINE)
        self._decoder = MessageDecoder()
        self._waiting: list[Message] = []

    def send(self, *messages: Message) -> None:
        self.socket.sendall(b"".join(map(encode, messages)))

    def receive(self) -> Message:
        while not self._waiting:
            data = self.socket.recv(65_536)
            if not data:
                raise EOFError
            self._waiting = self._decoder.feed(data)
        return self._waiting.pop(0)

    def until(self, frame: int) -> list[Message]:
        """Return all messages up to the one that reports `frame` as rendered."""
        messages: list[Message] = []
        while not (messages and isinstance(last := messages[-1], Rendered) and last.frame >= frame):
            messages.append(self.receive())
        return messages

    def packets_until(self, format_: Format, frame: int) -> list[Packet]:
        """Return the packets of one format, including the one that contains the frame before `frame`."""
        packets: list[Packet] = []
        while not (packets and packets[-1].frame + packets[-1].frames >= frame):
            message = self.receive()
            if isinstance(message, Encoded) and message.format == format_:
                packets.append(message.packet)
        return packets

    def until_answer(self, number: int) -> None:
        """Skip the messages up to the answer to a control change."""
        while not (isinstance(message := self.receive(), ControlsLanded) and message.number == number):
            pass

    def until_silence(self) -> list[Message]:
        """Return the messages that arrive before a pause of 0.3 s."""
        messages: list[Message] = []
        self.socket.settimeout(0.3)
        with contextlib.suppress(TimeoutError):
            while True:
                messages.append(self.receive())
        self.socket.settimeout(DEADLINE)
        return messages


@contextlib.contextmanager
def running(lowest: int = 0) -> Iterator[tuple[WorkerConnection, list[BaseException]]]:
    """Run a worker in a thread; yield the connection and the list of errors that it raises.

    The descriptor of the worker's end of the socket is `lowest` or higher.
    """
    ours, low = socket.socketpair()
    with low:
        theirs = socket.socket(fileno=fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, lowest))
    raised: list[BaseException] = []

    def run() -> None:
        with theirs:
            try:
                main.run(theirs, ToneStation)
            except RadioError as error:
                raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    with ours:
        yield WorkerConnection(ours), raised
    thread.join(DEADLINE)
    assert not thread.is_alive()


def open_station(worker: WorkerConnection, **changes: object) -> None:
    worker.send(Start(pickle.dumps(settings(**changes))))  # type: ignore[arg-type]
    assert worker.receive() == StationReady(0)


def test_a_worker_renders_up_to_the_requested_frame_and_waits() -> None:
    with running() as (worker, raised):
        open_station(worker)
        worker.send(Render(2 * SAMPLE_RATE, 0))
        worker.until(2 * SAMPLE_RATE)
        assert worker.until_silence() == []
        worker.send(Render(3 * SAMPLE_RATE, 0))
        more = worker.until(3 * SAMPLE_RATE)
        assert more[-1] == Rendered(-(-3 * SAMPLE_RATE // STEP) * STEP)
    assert raised == []


def test_the_socket_of_a_server_with_thousands_of_listeners_is_read() -> None:
    """A process inherits the socket under the number that it has in the server, where listeners hold the lower ones."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2_048)), hard))
    try:
        with running(lowest=1_500) as (worker, raised):
            open_station(worker)
            worker.send(Render(SAMPLE_RATE, 0))
            worker.until(SAMPLE_RATE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert raised == []


def test_nothing_is_encoded_without_an_open_format() -> None:
    with running() as (worker, _):
        open_station(worker)
        worker.send(Render(SAMPLE_RATE, 0))
        assert not any(isinstance(message, Encoded) for message in worker.until(SAMPLE_RATE))


@pytest.mark.parametrize(("format_", "frames"), [("opus", 960), ("mp3", 1_152), ("aac", 1_024), ("pcm", 960)])
def test_a_format_is_encoded_from_the_requested_frame_until_it_is_closed(format_: Format, frames: int) -> None:
    with running() as (worker, raised):
        open_station(worker)
        worker.send(Render(4 * SAMPLE_RATE, 0))
        worker.until(4 * SAMPLE_RATE)
        first = SAMPLE_RATE + 12_345
        worker.send(OpenFormat(format_, first))
        packets = worker.packets_until(format_, 4 * SAMPLE_RATE - 6_000)
        worker.send(Render(5 * SAMPLE_RATE, 5 * SAMPLE_RATE))
        packets += worker.packets_until(format_, 5 * SAMPLE_RATE - 6_000)
        assert [packet.frame for packet in packets] == [first + frames * k for k in range(len(packets))]
        worker.send(CloseFormat(format_), ChangeControls(1, {"tempo": 90}))
        worker.until_answer(1)
        worker.send(Render(6 * SAMPLE_RATE, 0))
        assert not any(isinstance(message, Encoded) for message in worker.until(6 * SAMPLE_RATE))
    assert raised == []


def test_half_a_minute_of_history_before_the_reserve_is_available() -> None:
    with running() as (worker, _):
        open_station(worker)
        end = 60 * SAMPLE_RATE
        worker.send(Render(end, 0))
        worker.until(end)
        worker.send(OpenFormat("opus", 0))
        first = worker.packets_until("opus", 0)[0].frame
        assert (HISTORY + RESERVE) * SAMPLE_RATE <= end - first <= RING_LENGTH * SAMPLE_RATE


def test_the_burst_of_a_new_format_takes_priority_over_more_reserve() -> None:
    with running() as (worker, _):
        open_station(worker)
        worker.send(Render(22 * SAMPLE_RATE, 0))
        worker.until(22 * SAMPLE_RATE)
        worker.send(Render(60 * SAMPLE_RATE, 10 * SAMPLE_RATE), OpenFormat("opus", 0))
        rendered, packets = 0, 0
        while packets < 22 * SAMPLE_RATE - main.CATCH_UP_STEP:
            message = worker.receive()
            if isinstance(message, Rendered):
                rendered = message.frame
            elif isinstance(message, Encoded):
                packets = message.packet.frame + message.packet.frames
        assert rendered <= 23 * SAMPLE_RATE


def test_events_come_before_their_audio() -> None:
    with running() as (worker, _):
        open_station(worker)
        worker.send(OpenFormat("opus", 0), Render(3 * SAMPLE_RATE, 0))
        messages = worker.until(3 * SAMPLE_RATE)
    bars = [message for message in messages if isinstance(message, StationEvent) and message.kind == "bar"]
    assert [bar.frame for bar in bars[:3]] == [0, SAMPLE_RATE, 2 * SAMPLE_RATE]
    for bar in bars:
        previous = messages[: messages.index(bar)]
        frames = [message.packet.frame for message in previous if isinstance(message, Encoded)]
        assert all(frame < bar.frame for frame in frames), "the audio came before its event"
        assert all(message.frame <= bar.frame for message in previous if isinstance(message, Rendered))


def test_answers_to_control_changes_carry_their_numbers() -> None:
    with running() as (worker, _):
        open_station(worker)
        worker.send(
            ChangeControls(7, {"tempo": 90}), ChangeControls(8, {"tempo": 400}), ChangeControls(9, {"tmepo": 90})
        )
        assert worker.receive() == ControlsLanded(7, {"tempo": Landing(1, 0)}, 0)
        refused, unknown = worker.receive(), worker.receive()
    assert isinstance(refused, ControlsRefused)
    assert (refused.number, refused.field, refused.allowed) == (8, "tempo", "a number from 50 to 110 BPM")
    assert isinstance(unknown, ControlsRefused)
    assert "Did you mean 'tempo'" in unknown.message


@pytest.mark.parametrize(
    ("fault", "broke"),
    [
        ("falls silent", StationBroke(f"the signal is silent from frame {SILENT_AT} onward", "silent", SILENT_AT)),
        ("raises after two seconds", StationBroke("the tone broke", "failed", None)),
    ],
)
def test_a_station_that_breaks_is_reported_and_the_worker_ends(fault: str, broke: StationBroke) -> None:
    with running() as (worker, raised):
        open_station(worker, description=fault)
        worker.send(Render(20 * SAMPLE_RATE, 0))
        while not isinstance(message := worker.receive(), StationBroke):
            pass
        assert message == broke
        with pytest.raises(EOFError):
            worker.receive()
    assert raised == []


def test_a_fallback_plays_the_audio_that_another_worker_left_in_the_ring() -> None:
    memory = create_memory()
    resume = Resume(b"", (), sound_from=-LEAD, events_from=0, frame=0)
    loop = Loop((BAR, 2 * BAR, 3 * BAR), 3 * BAR)
    try:
        with running() as (worker, raised):
            worker.send(Start(pickle.dumps(settings()), ring=memory))
            assert worker.receive() == StationReady(0)
            worker.send(Render(4 * BAR, 0))
            worker.until(4 * BAR)
        with running() as (worker, second):
            fallback = Fallback(loop, 4 * BAR)
            worker.send(Start(pickle.dumps(settings(description="fails to open")), resume, {}, memory, fallback))
            assert worker.receive() == StationReady(0)
            worker.send(OpenFormat("pcm", 0), Render(2 * BAR, 0))
            packets = worker.packets_until("pcm", 2 * BAR - 960)
        sound = np.frombuffer(b"".join(packet.data for packet in packets), "<i2").reshape(-1, 2) / 32_768
        times = np.arange(len(sound)) / SAMPLE_RATE
        tone = 0.25 * np.sin(2 * np.pi * np.stack([440 * times, 880 * times], axis=1))
        assert np.abs(sound - tone).max() < 0.001
        assert raised == second == []
    finally:
        os.close(memory)


def test_a_station_that_cannot_be_opened_is_reported() -> None:
    with running() as (worker, raised):
        worker.send(Start(pickle.dumps(settings(description="fails to open"))))
        assert worker.receive() == StationFailed("there is no soundfont at nowhere.sf2")
        with pytest.raises(EOFError):
            worker.receive()
    assert raised == []


@pytest.mark.parametrize("seconds", [0, 60])
def test_a_worker_ends_when_the_connection_closes(seconds: int) -> None:
    """With 0 s the worker is waiting, with 60 s it is rendering."""
    with running() as (worker, raised):
        open_station(worker)
        worker.send(Render(seconds * SAMPLE_RATE, 0))
    assert raised == []


def test_an_unexpected_message_ends_the_worker_with_an_error() -> None:
    with running() as (worker, raised):
        worker.send(Render(5, 0))
        with pytest.raises(EOFError):
            worker.receive()
    assert isinstance(raised[0], StreamError)


def test_a_process_ignores_sigint_and_ends_when_the_connection_closes() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, "-m", "tests.server.tone_worker", str(theirs.fileno())]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()
        worker = WorkerConnection(ours)
        open_station(worker)
        process.send_signal(signal.SIGINT)
        worker.send(Render(SAMPLE_RATE, 0))
        worker.until(SAMPLE_RATE)
        assert process.poll() is None
        ours.close()
        assert process.wait(DEADLINE) == 0
