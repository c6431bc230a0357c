"""Composition root: builds the parts, starts them in order, stops them in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from radio.settings.config import RadioConfig
from radio.settings.push import PushSettings
from radio.settings.station import StationSettings
from radio.types import SAMPLE_RATE, Frames, Seconds

if TYPE_CHECKING:
    from radio.station.station import Station

_SWITCH: Final[Seconds] = 0.001
"""Python's threads take turns this often while playing here: the one that feeds the sound card must not wait long."""
_PIPED: Frames = SAMPLE_RATE // 10
"""Frames that go through a pipe at a time: small, so that the first sound comes soon."""


def play(
    config: RadioConfig,
    settings: StationSettings,
    *,
    seed: int,
    seconds: Seconds | None = None,
    device: str | None = None,
) -> None:
    """Play a station through a sound card until `seconds` are over, the listener quits, or a signal comes.

    Args:
        config: The stations that the listener may change over to.
        settings: The one to begin with.
        seed: The start of its music; coming back to a station goes on from the next seed, to other music.
        device: Number or part of the name of a sound card, None for the default one.

    Raises:
        AudioError: there is no sound card; it is looked for before the models are loaded.
        RadioError: the station cannot be opened.
    """
    from radio.playback.player import Player
    from radio.playback.sound_card import SoundCard, quiet_libraries
    from radio.terminal.session import run_session

    visits: Counter[str] = Counter()

    def opened(wanted: StationSettings) -> Station:
        from radio.station.factory import open_station

        visits[wanted.name] += 1
        begin = seed if wanted.name == settings.name else wanted.seed
        return open_station(wanted, seed=begin + visits[wanted.name] - 1)

    sys.setswitchinterval(_SWITCH)
    with quiet_libraries(), _signals(signal.SIG_DFL):  # a sound server that hangs lets no handler of Python's run
        sound_card = SoundCard(device)
    with quiet_libraries(), closing(sound_card):
        player = Player(sound_card, opened, frames=_frames(seconds))
        player.start(settings)
        try:
            run_session(player, list(config.stations.values()), settings)
        finally:
            if not player.close():
                # The sound card hangs in a call that does not return, and so would PortAudio's own end.
                os._exit(os.EX_OK)


def pipe(settings: StationSettings, sink: BinaryIO, *, format_: str, seed: int, seconds: Seconds | None = None) -> None:
    """Write a station to `sink` as fast as it is read, until `seconds` are over or a signal ends the stream, whole.

    Raises:
        BrokenPipeError: the reader has gone.
        KeyboardInterrupt: a second signal came while the reader was not reading.
        RadioError: the station cannot be opened.
    """
    from radio.station.factory import open_station
    from radio.stream.formats.writers import open_writer

    left = _frames(seconds)
    kept = _Sink(sink)
    try:
        with (
            closing(open_station(settings, seed=seed)) as station,
            closing(open_writer(format_, cast("BinaryIO", kept))) as writer,
            _told_to_stop() as stop,
        ):
            while not stop.is_set() and (left is None or left > 0):
                block = station.render(_PIPED if left is None else min(_PIPED, left))
                station.events()  # nobody asks for them here, and they would pile up
                writer.write(block)
                if kept.fault is not None:
                    break
                left = None if left is None else left - len(block)
    except Exception:
        if kept.fault is None:
            raise
    if kept.fault is not None:
        raise kept.fault


def serve(config: RadioConfig) -> None:
    """Put every station on the air until interrupted; prints the addresses, and logs to stderr.

    Raises:
        ServerError: the port is taken, or the host is not an address of this machine.
        KeyboardInterrupt: when told to stop by SIGINT.
    """
    from radio.server.app import serve as front

    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s")  # warnings and above, on stderr

    def ready(addresses: list[str]) -> None:
        print("On the air:")
        for address in addresses:
            print(f"  {address}")
        print("Ctrl-C ends it.", flush=True)

    _run_until_stopped(front(config, host=config.server.host, port=config.server.port, ready=ready))


def push(settings: StationSettings, to: PushSettings, *, seed: int) -> None:
    """Play a station to a server until interrupted; says on stdout where it goes, and logs to stderr how it fares.

    Raises:
        SettingsError: there is no key.
        ServerError: the station cannot start.
        KeyboardInterrupt: when told to stop by SIGINT.
    """
    from radio.server.broadcast.channel import Channel
    from radio.server.broadcast.pushes import pusher

    to.key.read()
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("radio.push").setLevel(logging.INFO)

    async def run() -> None:
        channel = Channel(replace(settings, seed=seed))
        try:
            await channel.start()
            print(f"Pushing {settings.title} to {to.to}. Ctrl-C ends it.", flush=True)
            await pusher(channel, to).run()
        finally:
            await channel.stop()

    _run_until_stopped(run())


def _run_until_stopped(coroutine: Coroutine[object, object, None]) -> None:
    """Run a coroutine until it returns or SIGINT or SIGTERM cancels it; a second signal cuts its cleanup short."""

    async def run() -> None:
        task = asyncio.ensure_future(coroutine)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())


class _Sink:
    """A file that remembers why it failed: libav calls it back and lets no exception through, not even an interrupt."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.fault: BaseException | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except BaseException as fault:
            self.fault = self.fault or fault
            raise

    def flush(self) -> None:
        try:
            self._file.flush()
        except BaseException as fault:
            self.fault = self.fault or fault
            raise


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Set by the first SIGINT or SIGTERM, so that no page is torn; the second one interrupts whatever is going on."""
    stop = threading.Event()

    def handle(_number: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    with _signals(handle):
        yield stop


@contextmanager
def _signals(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> Iterator[None]:
    """Let `handler` have SIGINT and SIGTERM for a while."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _frames(seconds: Seconds | None) -> Frames | None:
    return None if seconds is None else max(1, round(seconds * SAMPLE_RATE))
