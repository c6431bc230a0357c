"""Helpers for tests of the page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

from playwright.async_api import Page, expect

from tests.server import on_air

OpenPage: TypeAlias = Callable[..., Awaitable[Page]]
"""The `open_page` fixture."""

TIMEOUT: Final = 90.0
"""Seconds; a browser is slow on a busy machine."""

SCREENSHOTS: Final = Path(__file__).parents[2] / "build" / "screenshots"

expect.set_options(timeout=1000 * TIMEOUT)


def script(name: str) -> str:
    """Return the JavaScript function in a file of this folder."""
    return Path(__file__).with_name(f"{name}.js").read_text()


async def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition is true."""
    await on_air.until(condition, deadline=TIMEOUT)


async def until_page(page: Page, expression: str) -> None:
    """Wait until a JavaScript expression is true. Playwright's own function uses eval, which the page forbids."""
    end = time.monotonic() + TIMEOUT
    while not await page.evaluate(expression):
        assert time.monotonic() < end, f"still false: {expression}"
        await asyncio.sleep(0.05)


async def press_play(page: Page) -> None:
    """Press Play and wait until audio is heard."""
    await page.get_by_role("button", name="Play", exact=True).click()
    await until_page(page, "window.playerAudio && !playerAudio.paused && playerAudio.currentTime > 0.3")


async def take_screenshot(page: Page, name: str) -> None:
    """Save a screenshot for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"{name}.png")
