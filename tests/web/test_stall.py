"""Playback on the page while a process of the radio is suspended, in Chromium."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from typing import Final

import aiohttp
import psutil
import pytest

from radio.types import Seconds
from tests.web.browser import OpenPage
from tests.web.chromium import uses_browser

pytestmark = [pytest.mark.slow, uses_browser]

STALL: Final[Seconds] = 12.0
AFTER: Final[Seconds] = 20.0
BURST: Final = 22 * 4_000
"""Bytes of a full burst of the tone; Opus needs fewer for it than for music."""

# Record the clock and the playback position ten times a second, and events that interrupt playback.
RECORD: Final = """() => {
    window.recorded = { interruptions: [], steps: [] };
    for (const kind of ["pause", "error", "ended", "emptied"])
        playerAudio.addEventListener(kind, () => recorded.interruptions.push(kind));
    setInterval(() => recorded.steps.push([performance.now() / 1000, playerAudio.currentTime]), 100);
}"""


@contextlib.asynccontextmanager
async def serve() -> AsyncIterator[tuple[psutil.Process, str]]:
    """Run a server. Yield its process and its address."""
    command = [sys.executable, "-m", "tests.web.server_process"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        address = await asyncio.wait_for(process.stdout.readline(), 60)
        yield psutil.Process(process.pid), address.decode().strip()
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        await process.wait()


@pytest.mark.parametrize("part", ["worker", "server"])
async def test_a_suspended_process_does_not_interrupt_playback(open_page: OpenPage, part: str) -> None:
    async with serve() as (server, address), aiohttp.ClientSession() as http:
        await asyncio.sleep(25)  # fills the history of the station
        async with http.get(f"{address}tone.opus") as response:  # all of it is encoded
            await response.content.readexactly(BURST)
        page = await open_page(address)
        await page.get_by_role("button", name="Play", exact=True).click()
        await asyncio.sleep(60)
        await page.evaluate(RECORD)
        pid = server.pid if part == "server" else server.children()[0].pid
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(STALL)
        with contextlib.suppress(ProcessLookupError):  # the server replaces a worker that hangs
            os.kill(pid, signal.SIGCONT)
        await asyncio.sleep(AFTER)
        recorded = await page.evaluate("recorded")
    assert recorded["interruptions"] == []
    (since, first), steps = recorded["steps"][0], recorded["steps"]
    assert steps[-1][0] - since > STALL + AFTER - 5
    # A busy machine may delay Chromium by milliseconds; an empty buffer would delay it by seconds.
    behind = [(second - since) - (time - first) for second, time in steps]
    assert max(behind) - min(behind) < 0.3, "playback stalled"
