"""Several radios behind one name, as docs/scale.md describes them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from bench.chaos.listener import Listener
from radio.types import SAMPLE_RATE
from tests.ports import free_port
from tests.server.nginx import nginx_of_two
from tests.server.on_air import until

LIMIT = 180.0


class Radio:
    """A running `radio serve` with its own config and state folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.states = folder / "states"
        self.port = free_port()
        self.process: asyncio.subprocess.Process | None = None
        folder.mkdir()

    def configure(self, *stations: str) -> None:
        """Write the config and have a running radio reload it."""
        described = {name: {"title": name.title(), "seed": 7} for name in stations}
        (self.folder / "stations.yaml").write_text(yaml.safe_dump({"stations": described}))
        if self.process is not None:
            self.process.send_signal(signal.SIGHUP)

    async def start(self) -> None:
        command = [sys.executable, "-m", "radio", "serve", "--config", str(self.folder / "stations.yaml")]
        command += ["--port", str(self.port), "--state", str(self.states)]
        with (self.folder / "log").open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)

    async def end(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
            await self.process.wait()


@contextlib.asynccontextmanager
async def running(radios: Iterable[Radio]) -> AsyncIterator[None]:
    try:
        for radio in radios:
            await radio.start()
        yield
    finally:
        for radio in radios:
            await radio.end()


async def get(root: str, path: str) -> Any:
    """Return the JSON response, or None if there is none."""
    with contextlib.suppress(aiohttp.ClientError):
        async with aiohttp.ClientSession() as http, http.get(f"{root}/{path}") as answer:
            return await answer.json() if answer.status == 200 else None
    return None


async def answer_of(root: str, path: str, condition: Callable[[Any], bool]) -> Any:
    """Return the first response for which `condition` holds; a failed request counts as None."""
    async with asyncio.timeout(LIMIT):
        while True:
            if condition(answer := await get(root, path)):
                return answer
            await asyncio.sleep(0.2)


async def on_air(root: str, station: str, *, seconds: float = 0.0) -> Any:
    """Return the description of a station once it has been on the air for `seconds`."""
    frames = seconds * SAMPLE_RATE
    return await answer_of(
        root,
        f"api/stations/{station}",
        lambda answer: answer and answer["on_air"] and answer["now"]["bar"] and answer["live"] > frames,
    )


@pytest.mark.slow
async def test_a_station_with_a_listener_moves_between_two_radios(tmp_path: Path) -> None:
    first, second = Radio(tmp_path / "first"), Radio(tmp_path / "second")
    first.configure("ambient")
    second.configure("rain", "sleep")
    front = tmp_path / "nginx"
    front.mkdir()
    async with running((first, second)), nginx_of_two(front, first.port, second.port) as root:
        for station in ("sleep", "ambient", "rain"):
            await on_air(root, station)
        await on_air(root, "sleep", seconds=25)
        listener = Listener(int(root.rpartition(":")[2]), "/sleep.opus?burst=22")
        listener.start()
        try:
            before = await on_air(root, "sleep", seconds=30)
            await until(lambda: listener.buffered > 15, LIMIT)
            second.configure("rain")
            await answer_of(f"http://127.0.0.1:{second.port}", "api/stations/sleep", lambda answer: answer is None)
            shutil.copy(second.states / "sleep.state", first.states / "sleep.state")
            first.configure("ambient", "sleep")
            reload_nginx(front, "rain|sleep", "rain")
            after = await on_air(root, "sleep")
            await until(lambda: listener.connections > 1, LIMIT)
            await until(lambda: listener.buffered > 15, LIMIT)
        finally:
            listener.stop()
        assert after["now"]["bar"]["number"] >= before["now"]["bar"]["number"]
        assert after["live"] >= before["live"]
        history = await get(root, "api/stations/sleep/history")
        assert [run["seed"] for run in history["runs"]] == [7]
        assert before["now"]["track"]["title"] in [track["title"] for track in history["tracks"]]
        for station in ("ambient", "rain"):
            assert (await on_air(root, station))["on_air"]


def reload_nginx(folder: Path, old: str, new: str) -> None:
    """Change the configuration of a running nginx, as `nginx -s reload` does."""
    config = folder / "radio.conf"
    text = config.read_text()
    assert text.count(old) == 1
    config.write_text(text.replace(old, new))
    os.kill(int((folder / "nginx.pid").read_text()), signal.SIGHUP)
