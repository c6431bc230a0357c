from __future__ import annotations

import contextlib
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from radio.errors import RadioError, StreamError
from radio.types import SAMPLE_RATE, Format, Landing, Packet, StationEvent
from radio.worker import main as worker
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
    StationFailed,
    StationReady,
    encode,
)
from tests.server.tone_worker import ToneStation, settings

DEADLINE = 10.0


class Talk:
    """The front's end of the socket; every wait has a deadline."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self.socket.settimeout(DEADLINE)
        self._decoder = MessageDecoder()
        self._waiting: list[Message] = []

    def say(self, *messages: Message) -> None:
        self.socket.sendall(b"".join(map(encode, messages)))

    def hear(self) -> Message:
        while not self._waiting:
            data = self.socket.recv(65_536)
            if not data:
                raise EOFError
            self._waiting = self._decoder.feed(data)
        return self._waiting.pop(0)

    def until(self, frame: int) -> list[Message]:
        """Everything up to the news that all before `frame` is rendered."""
        heard: list[Message] = []
        while not (heard and isinstance(last := heard[-1], Rendered) and last.frame >= frame):
            heard.append(self.hear())
        return heard

    def packets_until(self, format_: Format, frame: int) -> list[Packet]:
        """The packets of one format, up to and with the one that contains the frame before `frame`."""
        heard: list[Packet] = []
        while not (heard and heard[-1].frame + heard[-1].frames >= frame):
            message = self.hear()
            if isinstance(message, Encoded) and message.format == format_:
                heard.append(message.packet)
        return heard

    def silence(self) -> list[Message]:
        """What else is said before nothing comes for a while."""
        heard: list[Message] = []
        self.socket.settimeout(0.3)
        with contextlib.suppress(TimeoutError):
            while True:
                heard.append(self.hear())
        self.socket.settimeout(DEADLINE)
        return heard


@contextlib.contextmanager
def running() -> Iterator[tuple[Talk, list[BaseException]]]:
    """A worker in a thread; what it raised, once it has ended."""
    ours, theirs = socket.socketpair()
    raised: list[BaseException] = []

    def run() -> None:
        with theirs:
            try:
                worker.run(theirs, ToneStation)
            except RadioError as error:
                raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    with ours:
        yield Talk(ours), raised
    thread.join(DEADLINE)
    assert not thread.is_alive()


def started(talk: Talk, **changes: object) -> None:
    talk.say(Start(pickle.dumps(settings(**changes))))  # type: ignore[arg-type]
    assert talk.hear() == StationReady(0)


def test_it_renders_as_far_as_it_is_told_and_then_waits() -> None:
    with running() as (talk, raised):
        started(talk)
        talk.say(Render(2 * SAMPLE_RATE))
        talk.until(2 * SAMPLE_RATE)
        assert talk.silence() == []
        talk.say(Render(3 * SAMPLE_RATE))
        more = talk.until(3 * SAMPLE_RATE)
        assert more[-1] == Rendered(-(-3 * SAMPLE_RATE // worker.RENDER_STEP) * worker.RENDER_STEP)
    assert raised == []


def test_nothing_is_encoded_that_nobody_asked_for() -> None:
    with running() as (talk, _):
        started(talk)
        talk.say(Render(SAMPLE_RATE))
        assert not any(isinstance(message, Encoded) for message in talk.until(SAMPLE_RATE))


@pytest.mark.parametrize(("format_", "frames"), [("opus", 960), ("mp3", 1_152), ("aac", 1_024), ("pcm", 960)])
def test_a_format_is_encoded_from_where_it_is_asked_for_until_it_is_shut(format_: Format, frames: int) -> None:
    with running() as (talk, raised):
        started(talk)
        talk.say(Render(4 * SAMPLE_RATE))
        talk.until(4 * SAMPLE_RATE)
        first = SAMPLE_RATE + 12_345
        talk.say(OpenFormat(format_, first))
        packets = talk.packets_until(format_, 4 * SAMPLE_RATE - 6_000)
        talk.say(Render(5 * SAMPLE_RATE))
        packets += talk.packets_until(format_, 5 * SAMPLE_RATE - 6_000)
        assert [packet.frame for packet in packets] == [first + frames * k for k in range(len(packets))]
        talk.say(CloseFormat(format_))
        talk.silence()
        talk.say(Render(6 * SAMPLE_RATE))
        assert not any(isinstance(message, Encoded) for message in talk.until(6 * SAMPLE_RATE))
    assert raised == []


def test_no_more_than_half_a_minute_is_kept() -> None:
    with running() as (talk, _):
        started(talk)
        talk.say(Render(32 * SAMPLE_RATE))
        talk.until(32 * SAMPLE_RATE)
        talk.say(OpenFormat("opus", 0))
        assert 2 * SAMPLE_RATE <= talk.packets_until("opus", 0)[0].frame <= 2 * SAMPLE_RATE + worker.RENDER_STEP


def test_events_come_with_the_sound_they_belong_to() -> None:
    with running() as (talk, _):
        started(talk)
        talk.say(OpenFormat("opus", 0), Render(3 * SAMPLE_RATE))
        heard = talk.until(3 * SAMPLE_RATE)
    bars = [message for message in heard if isinstance(message, StationEvent) and message.kind == "bar"]
    assert [bar.frame for bar in bars[:3]] == [0, SAMPLE_RATE, 2 * SAMPLE_RATE]
    for bar in bars:
        before = heard[: heard.index(bar)]
        sounding = [message.packet.frame for message in before if isinstance(message, Encoded)]
        assert all(frame < bar.frame for frame in sounding), "the sound came before its event"
        assert all(message.frame <= bar.frame for message in before if isinstance(message, Rendered))


def test_controls_are_answered_by_their_number() -> None:
    with running() as (talk, _):
        started(talk)
        talk.say(ChangeControls(7, {"tempo": 90}), ChangeControls(8, {"tempo": 400}), ChangeControls(9, {"tmepo": 90}))
        assert talk.hear() == ControlsLanded(7, {"tempo": Landing(1, 0)})
        refused, unknown = talk.hear(), talk.hear()
    assert isinstance(refused, ControlsRefused)
    assert (refused.number, refused.field, refused.allowed) == (8, "tempo", "a number from 50 to 110 BPM")
    assert isinstance(unknown, ControlsRefused)
    assert "Did you mean 'tempo'" in unknown.message


def test_a_station_that_cannot_be_opened_says_why() -> None:
    with running() as (talk, raised):
        talk.say(Start(pickle.dumps(settings(description="fails to open"))))
        assert talk.hear() == StationFailed("there is no soundfont at nowhere.sf2")
        with pytest.raises(EOFError):
            talk.hear()
    assert raised == []


@pytest.mark.parametrize("seconds", [0, 60])
def test_it_ends_when_the_front_is_gone(seconds: int) -> None:
    """While it waits, and in the middle of work."""
    with running() as (talk, raised):
        started(talk)
        talk.say(Render(seconds * SAMPLE_RATE))
    assert raised == []


def test_a_front_that_speaks_nonsense_ends_it_with_an_error() -> None:
    with running() as (talk, raised):
        talk.say(Render(5))
        with pytest.raises(EOFError):
            talk.hear()
    assert isinstance(raised[0], StreamError)


def test_a_process_ignores_ctrl_c_and_ends_with_its_front() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, "-m", "tests.server.tone_worker", str(theirs.fileno())]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()
        talk = Talk(ours)
        started(talk)
        process.send_signal(signal.SIGINT)
        talk.say(Render(SAMPLE_RATE))
        talk.until(SAMPLE_RATE)
        assert process.poll() is None
        ours.close()
        assert process.wait(DEADLINE) == 0
