"""A server with a tone station in its own process: `python -m tests.server.tone_server` prints its port."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen

from radio.server.app import serve
from radio.settings.config import RadioConfig
from radio.settings.server import ServerSettings
from tests.server.tone_worker import settings

WORKER = (sys.executable, "-m", "tests.server.tone_worker")


@dataclass
class ServerProcess:
    pid: int
    port: int

    @property
    def worker(self) -> int:
        """The process id of the station's worker."""
        children = [task.joinpath("children").read_text() for task in Path(f"/proc/{self.pid}/task").iterdir()]
        (worker,) = [int(pid) for text in children for pid in text.split()]
        return worker


@contextlib.contextmanager
def running() -> Iterator[ServerProcess]:
    with Popen([sys.executable, "-m", "tests.server.tone_server"], stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield ServerProcess(process.pid, int(process.stdout.readline()))
        finally:
            process.terminate()


if __name__ == "__main__":

    def ready(addresses: list[str]) -> None:
        print(re.findall(r":(\d+)/", addresses[0])[0], flush=True)  # noqa: T201 — `running` reads it

    config = RadioConfig({"tone": settings()}, ServerSettings())
    asyncio.run(serve(config, host="127.0.0.1", port=0, on_ready=ready, worker=WORKER))
