"""What a listener who joined a minute ago hears when a part of the radio stands still for twelve seconds: nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest
from playwright.async_api import Page

from tests.web.conftest import shoot

pytestmark = pytest.mark.slow

CONFIG = "stations:\n  chill:\n    title: Chill\n    progressions: [[Dm7, G7, Cmaj7, Am7]]\n"
STALL = 12.0

# How far the sound has come against the clock, ten times a second, and whether it was ever begun anew.
_LISTEN = """() => {
    window.heard = { breaks: [], steps: [] };
    for (const kind of ["pause", "error", "ended", "emptied"])
        sound.addEventListener(kind, () => heard.breaks.push(kind));
    setInterval(() => heard.steps.push([performance.now() / 1000, sound.currentTime]), 100);
}"""


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[psutil.Process, str]]:
    """`radio serve` as people start it: the front's process, and its address."""
    (folder / "stations.yaml").write_text(CONFIG)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "radio", "serve", "--port", "0", cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), 60)
        address = re.search(r"http://\S+", (await process.stdout.readline()).decode())
        assert address is not None
        yield psutil.Process(process.pid), address[0]
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        await process.wait()


@pytest.mark.parametrize("part", ["worker", "front"])
async def test_a_stall_is_not_heard(open_page: Callable[..., Awaitable[Page]], tmp_path: Path, part: str) -> None:
    async with serving(tmp_path) as (front, address):
        await asyncio.sleep(25)  # the station has a past to burst
        page = await open_page(address)
        await page.get_by_role("button", name="Play", exact=True).click()
        await asyncio.sleep(60)
        await page.evaluate(_LISTEN)
        pid = front.pid if part == "front" else worker_of(front)
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(STALL)
        with contextlib.suppress(ProcessLookupError):  # a worker that stands still for so long is replaced
            os.kill(pid, signal.SIGCONT)
        await asyncio.sleep(20)
        heard = await page.evaluate("heard")
        await shoot(page, f"stall-{part}")
    assert heard["breaks"] == []
    (since, first), steps = heard["steps"][0], heard["steps"]
    assert steps[-1][0] - since > STALL + 15
    # A machine that is busy with other tests may cost Chromium a few milliseconds; running dry would cost seconds.
    behind = [(second - since) - (time - first) for second, time in steps]
    assert max(behind) - min(behind) < 0.3, "the sound stood still"


def worker_of(front: psutil.Process) -> int:
    [pid] = [each.pid for each in front.children() if "radio.worker" in each.cmdline()]
    return pid
