"""What a listener who joined a minute ago hears when a part of the radio stands still for twelve seconds: nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import psutil
import pytest
from playwright.async_api import Page

pytestmark = pytest.mark.slow

STALL = 12.0
AFTER = 20.0
BURST = 22 * 4_000
"""Bytes of the tone that a listener has when it has heard of the whole burst: Opus makes less of it than of music."""

# How far the sound has come against the clock, ten times a second, and whether it was ever begun anew.
LISTEN = """() => {
    window.heard = { breaks: [], steps: [] };
    for (const kind of ["pause", "error", "ended", "emptied"])
        sound.addEventListener(kind, () => heard.breaks.push(kind));
    setInterval(() => heard.steps.push([performance.now() / 1000, sound.currentTime]), 100);
}"""


@contextlib.asynccontextmanager
async def origin() -> AsyncIterator[tuple[psutil.Process, str]]:
    """The front's process, and its address."""
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


@pytest.mark.parametrize("part", ["worker", "front"])
async def test_a_stall_is_not_heard(open_page: Callable[..., Awaitable[Page]], part: str) -> None:
    async with origin() as (front, address), aiohttp.ClientSession() as http:
        await asyncio.sleep(25)  # now the station has a past
        async with http.get(f"{address}tone.opus") as response:  # and now it is encoded, however busy this machine is
            await response.content.readexactly(BURST)
        page = await open_page(address)
        await page.get_by_role("button", name="Play", exact=True).click()
        await asyncio.sleep(60)
        await page.evaluate(LISTEN)
        pid = front.pid if part == "front" else front.children()[0].pid
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(STALL)
        with contextlib.suppress(ProcessLookupError):  # a worker that stands still for so long is replaced
            os.kill(pid, signal.SIGCONT)
        await asyncio.sleep(AFTER)
        heard = await page.evaluate("heard")
    assert heard["breaks"] == []
    (since, first), steps = heard["steps"][0], heard["steps"]
    assert steps[-1][0] - since > STALL + AFTER - 5
    # A machine that is busy with other tests may cost Chromium some milliseconds; running dry would cost seconds.
    behind = [(second - since) - (time - first) for second, time in steps]
    assert max(behind) - min(behind) < 0.3, "the sound stood still"
