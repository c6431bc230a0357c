"""A real server on a free port of loopback, with tone stations in real worker processes.

Every JSON response is checked against the published schema.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from radio.paths import PACKAGE
from radio.server.app import build
from radio.server.broadcast.channel import Channel
from radio.server.broadcast.state_folder import StateFolder
from radio.server.broadcast.station_files import Copy, FileCopies
from radio.server.http.authorization import Authorization
from radio.server.http.listening import open_sockets
from radio.server.http.site import start_sites
from radio.settings.server import ServerSettings
from radio.settings.station import StationSettings
from tests.server.published_schema import ResponseChecker
from tests.server.tone_worker import settings

WORKER = (sys.executable, "-m", "tests.server.tone_worker")
DEADLINE = 60.0
"""Seconds after which a test gives up. Far more than an idle machine needs."""


class ShippedCopies(FileCopies):
    """Copies of files. Those of the package are made once for all test servers, which saves 0.1 s each time."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[Path, Copy | None] = {}

    def _copy(self, path: Path) -> Copy | None:
        if not path.is_relative_to(PACKAGE):
            return super()._copy(path)
        if path not in self._kept:
            self._kept[path] = super()._copy(path)
        return self._kept[path]


COPIES = ShippedCopies()


@dataclass
class OnAir:
    channels: dict[str, Channel]
    host: str
    port: int
    http: aiohttp.ClientSession
    app: web.Application
    checker: ResponseChecker

    @property
    def root(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def tone(self) -> Channel:
        return self.channels["tone"]


@contextlib.asynccontextmanager
async def on_air(
    *stations: StationSettings,
    authorization: Authorization | None = None,
    server: ServerSettings | None = None,
    worker: Sequence[str] = WORKER,
    start: bool = True,
    port: int = 0,
    states: StateFolder | None = None,
) -> AsyncIterator[OnAir]:
    channels = {
        station.name: Channel(station, worker=worker, states=states, copies=COPIES)
        for station in stations or (settings(),)
    }
    app = build(
        channels,
        authorization=authorization or Authorization(control=True, token=None),
        settings=server or ServerSettings(),
    )
    checker = ResponseChecker(app, list(channels))
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await start_sites(runner, await open_sockets(["127.0.0.1"], port))
    try:
        if start:
            await asyncio.wait_for(asyncio.gather(*(channel.start() for channel in channels.values())), DEADLINE)
        host, port = runner.addresses[0]
        async with aiohttp.ClientSession() as http:
            yield OnAir(channels, host, port, http, app, checker)
    finally:
        for channel in channels.values():
            await channel.stop()
        await runner.cleanup()
    assert checker.problems == []


async def until(condition: Callable[[], bool], deadline: float = DEADLINE) -> None:
    """Return when `condition` holds. Raises TimeoutError after `deadline` seconds."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the condition did not become true")
        await asyncio.sleep(0.01)


async def ffmpeg(*arguments: str, data: bytes | None = None) -> bytes:
    """Run ffmpeg on `data` and return its standard output; any warning fails the test."""
    process = await asyncio.create_subprocess_exec(
        "ffmpeg",
        *(["-nostdin"] if data is None else []),
        "-v",
        "warning",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL if data is None else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(data), 180)
    assert err == b"", err.decode()
    assert process.returncode == 0
    return out


async def raw(radio: OnAir, request: str, enough: Callable[[bytes], bool] = lambda _: False) -> tuple[bytes, bytes]:
    """Send a request over a bare socket; return the head and the body.

    Reads until the connection ends or `enough(body)` is true. Raises TimeoutError after DEADLINE seconds.
    """
    reader, writer = await asyncio.open_connection(radio.host, radio.port)
    writer.write(request.encode())
    data = bytearray()
    try:
        async with asyncio.timeout(DEADLINE):
            while more := await reader.read(65_536):
                data += more
                if enough(bytes(data).partition(b"\r\n\r\n")[2]):
                    break
    finally:
        writer.close()
        await writer.wait_closed()
    head, _, body = bytes(data).partition(b"\r\n\r\n")
    return head, body


def more_pages(count: int) -> Callable[[bytes], bool]:
    """Return a condition for `raw`: the body has more than `count` complete Ogg pages."""
    return lambda body: body.count(b"OggS") > count + 1
