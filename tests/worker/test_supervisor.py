from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from radio.worker import supervisor

CHILD = """
import socket, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, file=sys.stderr, flush=True)
socket.socket(fileno=int(sys.argv[1])).recv(1)
"""
"""A worker whose child holds its standard error open."""


async def test_a_child_that_keeps_running_does_not_delay_the_end_of_its_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_STDERR_LIMIT", 0.1)
    line = asyncio.get_running_loop().create_future()
    async with supervisor.start_worker([sys.executable, "-c", CHILD], line.set_result):
        child = int(await line)
    os.kill(child, signal.SIGKILL)  # raises if it has ended


async def test_a_line_that_is_written_in_parts_is_reported_once() -> None:
    program = """
import sys, time
for part in ("on", "e\\ntw", "o"):
    print(part, end="", file=sys.stderr, flush=True)
    time.sleep(0.1)
"""
    lines: list[str] = []
    async with supervisor.start_worker([sys.executable, "-c", program], lines.append) as worker:
        assert await worker.receive() is None
    assert lines == ["one", "two"]
