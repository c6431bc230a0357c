"""Composition root: builds the parts, starts them in order, stops them in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from contextlib import closing
from typing import BinaryIO

from radio.config import RadioConfig, StationSettings
from radio.types import SAMPLE_RATE, Frames, Seconds

_PIPED: Frames = SAMPLE_RATE // 10
"""Frames that go through a pipe at a time: small, so that the first sound comes soon."""


def play(settings: StationSettings, *, seed: int, seconds: Seconds | None = None) -> None:
    """Play a station through the sound card until `seconds` are over, or until interrupted.

    Raises:
        AudioError: there is no sound card; it is looked for before the models are loaded.
        RadioError: the station cannot be opened.
    """
    from radio.display import now_playing
    from radio.speakers import Speakers
    from radio.station import open_station

    with (
        closing(Speakers()) as speakers,
        closing(open_station(settings, seed=seed)) as station,
        now_playing(settings.title, sys.stdout) as show,
    ):
        speakers.play(station, frames=_frames(seconds), heard=show.heard, said=show.said)


def pipe(settings: StationSettings, sink: BinaryIO, *, format_: str, seed: int, seconds: Seconds | None = None) -> None:
    """Write a station to `sink` as fast as it is read, until `seconds` are over or the reader has gone.

    Raises:
        BrokenPipeError: the reader has gone.
        RadioError: the station cannot be opened.
    """
    from radio.station import open_station
    from radio.stream.encoders import open_writer

    left = _frames(seconds)
    with closing(open_station(settings, seed=seed)) as station, closing(open_writer(format_, sink)) as writer:
        while left is None or left > 0:
            block = station.render(_PIPED if left is None else min(_PIPED, left))
            writer.write(block)
            left = None if left is None else left - len(block)


def serve(config: RadioConfig) -> None:
    """Put every station on the air until interrupted; prints the addresses.

    Raises:
        ServerError: the port is taken, or the host is not an address of this machine.
        KeyboardInterrupt: when told to stop by SIGINT.
    """
    from radio.server.front import serve as front

    def ready(addresses: list[str]) -> None:
        print("On the air:")
        for address in addresses:
            print(f"  {address}")
        print("Ctrl-C ends it.", flush=True)

    async def run() -> None:
        task = asyncio.ensure_future(front(config, host=config.server.host, port=config.server.port, ready=ready))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())


def _frames(seconds: Seconds | None) -> Frames | None:
    return None if seconds is None else max(1, round(seconds * SAMPLE_RATE))
