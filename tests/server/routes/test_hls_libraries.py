"""The JavaScript players that sites use for HLS, in Chromium: hls.js, Shaka Player and video.js."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from radio.types import SAMPLE_RATE
from tests.ports import free_port
from tests.server.killable_server import killable_server
from tests.server.on_air import DEADLINE, on_air

_MODULES = Path(__file__).parents[3] / "scripts" / "js" / "node_modules"
_SCRIPTS = {
    "hls": _MODULES / "hls.js" / "dist" / "hls.min.js",
    "shaka": _MODULES / "shaka-player" / "dist" / "shaka-player.compiled.js",
    "video": _MODULES / "video.js" / "dist" / "video.min.js",
}
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
]


@contextlib.asynccontextmanager
async def page_with(library: str) -> AsyncIterator[Page]:
    """Open a page with the library and an audio element."""
    script = _SCRIPTS[library]
    assert script.is_file(), f"{script} is missing: npm ci --prefix scripts/js"
    async with async_playwright() as browsers:
        browser = await browsers.chromium.launch(executable_path="/usr/bin/chromium", args=_FLAGS)
        page = await browser.new_page()
        await page.set_content("<audio id=player></audio>")
        await page.add_script_tag(content=script.read_text())
        await page.add_script_tag(content=Path(__file__).with_name("hls_players.js").read_text())
        yield page
        await browser.close()


async def start(page: Page, library: str, address: str) -> None:
    """Load a playlist; `until_played` plays it."""
    await page.evaluate("([library, address]) => startPlayer[library](address)", [library, address])


async def until_played(page: Page, seconds: float, deadline: float = DEADLINE) -> None:
    """Return when the page has played `seconds` more, with sound in its buffer and no fault."""
    begun = await page.evaluate("media().currentTime")
    played = 0.0
    async with asyncio.timeout(deadline):
        while played < seconds:
            await asyncio.sleep(0.2)
            # A library that only now sets its source has aborted the last attempt.
            await page.evaluate("void (media().paused && media().play().catch(() => undefined))")
            now = await page.evaluate("media().currentTime")
            played += max(0.0, min(now - begun, 1.0))  # a seek to the live edge is not playback
            begun = now
            assert await page.evaluate("faults") == []


@pytest.mark.parametrize(
    ("library", "list_"),
    [
        ("hls", "index.m3u8"),
        pytest.param("hls", "opus.m3u8", marks=pytest.mark.slow),
        pytest.param("shaka", "index.m3u8", marks=pytest.mark.slow),
        pytest.param("shaka", "opus.m3u8", marks=pytest.mark.slow),
        pytest.param("video", "index.m3u8", marks=pytest.mark.slow),
        pytest.param("video", "opus.m3u8", marks=pytest.mark.slow),
    ],
)
async def test_a_library_plays_a_station(library: str, list_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radio.stream.formats.hls.SEGMENT_FRAMES", SAMPLE_RATE)  # a playlist fills within seconds
    async with page_with(library) as page, on_air() as radio:
        await start(page, library, f"{radio.root}/tone/hls/{list_}")
        await until_played(page, 2)


@pytest.mark.slow
@pytest.mark.parametrize("library", _SCRIPTS)
async def test_a_library_continues_when_the_server_restarts(library: str) -> None:
    port = free_port()
    async with page_with(library) as page:
        async with killable_server(port):
            await start(page, library, f"http://127.0.0.1:{port}/tone/hls/index.m3u8")
            await until_played(page, 8, deadline=120)
        async with killable_server(port):
            await until_played(page, 25, deadline=120)
