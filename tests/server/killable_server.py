"""A server with a tone station that tests can kill: `python -m tests.server.killable_server PORT`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from types import MappingProxyType

from radio.server.app import serve
from radio.settings.config import RadioConfig
from tests.server.tone_worker import settings

WORKER = (sys.executable, "-m", "tests.server.tone_worker")


@contextlib.asynccontextmanager
async def killable_server(port: int) -> AsyncIterator[int]:
    """Run a server on a port and yield its process group id; kill the group at the end."""
    command = (sys.executable, "-m", "tests.server.killable_server", str(port))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, start_new_session=True)
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        assert line == b"ready\n"
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _serve(port: int) -> None:
    config = RadioConfig(MappingProxyType({"tone": settings()}))
    await serve(config, host="127.0.0.1", port=port, on_ready=_ready, worker=WORKER)


def _ready(_: list[str]) -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
