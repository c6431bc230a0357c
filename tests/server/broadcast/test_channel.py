from __future__ import annotations

import asyncio
import socket
import subprocess
from pathlib import Path

import pytest

from radio.server.broadcast.restarting_worker import RestartingWorker
from radio.worker.supervisor import WORKER_COMMAND
from tests.server.on_air import DEADLINE, on_air


async def test_an_unexpected_error_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: RestartingWorker) -> None:
        raise RuntimeError("never seen before")

    monkeypatch.setattr(RestartingWorker, "_run_worker", broken)
    async with on_air(start=False) as radio:
        with pytest.raises(RuntimeError, match="never seen before"):
            await asyncio.wait_for(radio.tone.start(), DEADLINE)


def test_a_worker_imports_nothing_from_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "mido.py").write_text("raise SystemExit('not the one')", encoding="utf-8")
    ours, theirs = socket.socketpair()
    with theirs:
        ours.close()  # the server is gone already: a worker that starts without an error ends without one
        command = [*WORKER_COMMAND, str(theirs.fileno())]
        done = subprocess.run(
            command, cwd=tmp_path, pass_fds=[theirs.fileno()], capture_output=True, timeout=180, check=False
        )
    assert (done.returncode, done.stderr) == (0, b"")
