"""A fixture that opens pages in Chromium and fails a test if a page logs an error."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

# Expose the first audio element that is not part of the document, the player's, and the sum of layout shifts.
_INSTRUMENTS = """
const OriginalAudio = window.Audio;
window.Audio = function (...args) {
  const audio = new OriginalAudio(...args);
  window.playerAudio ??= audio;
  return audio;
};
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""

_EXPECTED_MESSAGES = re.compile(
    "ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|status of 401"
)
"""Chromium's own messages about a stopped server or a required token."""


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser) -> AsyncIterator[Callable[..., object]]:
    """Return a function that opens a page. Fail if a page logs an error or a warning, or violates its own policy."""
    problems: list[str] = []
    contexts: list[BrowserContext] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _EXPECTED_MESSAGES.search(message.text):
            problems.append(message.text)

    async def open_address(address: str, **options: object) -> Page:
        context = await browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(90_000)
        page = await context.new_page()
        page.on("console", on_console)
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.add_init_script(_INSTRUMENTS)
        await page.goto(address)
        return page

    yield open_address
    for context in contexts:
        await context.close()
    assert problems == []
