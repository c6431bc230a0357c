from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
from pathlib import Path

import aiohttp
import pytest

from radio.server.broadcast.channel import Channel
from radio.server.broadcast.restarting_worker import RestartingWorker
from radio.stream.relay.wall_clock import WallClock
from radio.types import SAMPLE_RATE
from radio.worker.supervisor import WORKER_COMMAND
from tests.server.on_air import DEADLINE, WORKER, on_air, until
from tests.server.tone_worker import settings


async def test_start_raises_an_unexpected_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: RestartingWorker) -> None:
        raise RuntimeError("never seen before")

    monkeypatch.setattr(RestartingWorker, "_run_worker", broken)
    async with on_air(start=False) as radio:
        with pytest.raises(RuntimeError, match="never seen before"):
            await asyncio.wait_for(radio.tone.start(), DEADLINE)


async def test_streams_of_a_stopped_station_end() -> None:
    """A client may connect while its station is being removed, or while the radio stops."""
    async with on_air(start=False) as radio, asyncio.timeout(DEADLINE / 4):
        await radio.tone.stop()
        for path in ("/tone.opus", "/api/stations/tone/events"):
            with contextlib.suppress(aiohttp.ClientError):  # a reset
                async with radio.http.get(radio.root + path) as response:
                    await response.read()
        assert (radio.tone.listeners, len(radio.tone.subscribers)) == (0, 0)
        async with radio.tone.tap("pcm") as tap:
            assert [packet async for packet in tap] == []
        async with radio.http.get(f"{radio.root}/tone/hls/aac/index.m3u8") as response:
            assert response.status == 503


@pytest.mark.usefixtures("started_programs")
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


@pytest.mark.slow
async def test_audio_is_released_by_the_clock_of_the_channel() -> None:
    """A minute of audio takes three seconds if the clock runs twenty times as fast."""
    clock = WallClock(20)
    channel = Channel(settings(), worker=WORKER, clock=clock)
    await channel.start()
    try:
        await until(lambda: channel.edge.reserve > 10)
        began, live = clock.now(), channel.edge.live
        await until(lambda: channel.edge.live > live + 60 * SAMPLE_RATE)
        assert channel.edge.underruns == 0
        assert (channel.edge.live - live) / SAMPLE_RATE == pytest.approx(clock.now() - began, abs=5)
    finally:
        await channel.stop()
