"""Debian's Chromium, without a window, held to what a page must never do: complain, or break its own policy."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"

# The player's own element, which stands in no document, for tests to look at.
_WATCH = """
const Own = window.Audio;
window.Audio = function (...given) { return (window.sound ??= new Own(...given)); };
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""

_HARMLESS = re.compile(
    "ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|status of 401"
)
"""What Chromium itself says of a radio that was stopped, or of a token that was asked for."""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    found = shutil.which("chromium")
    assert found, "the tests need Debian's chromium: scripts/system-packages --tests installs it"
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--mute-audio"]
        started = await playwright.chromium.launch(executable_path=found, args=arguments)
        yield started
        await started.close()


@pytest.fixture
async def open_page(browser: Browser) -> AsyncIterator[Callable[..., object]]:
    """Opens pages, and fails the test for whatever their consoles said."""
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _HARMLESS.search(message.text):
            complaints.append(message.text)

    async def opened(address: str, **options: object) -> Page:
        context = await browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))  # type: ignore[arg-type]
        context.set_default_timeout(40_000)
        page = await context.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.add_init_script(_WATCH)
        await page.goto(address)
        return page

    yield opened
    assert complaints == []


async def shoot(page: Page, name: str) -> None:
    """Keep a picture of the page for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"{name}.png")
