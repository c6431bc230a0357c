"""The overlay in a real browser."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from playwright.async_api import Browser, Page, expect

from tests.server.on_air import OnAir, on_air, until
from tests.server.tone_worker import settings
from tests.web.chromium import uses_browser

pytestmark = uses_browser


@asynccontextmanager
async def open_page(browser: Browser, address: str) -> AsyncIterator[Page]:
    page = await browser.new_page(viewport={"width": 960, "height": 260})
    try:
        await page.goto(address)
        yield page
    finally:
        await page.close()


async def pixels(page: Page) -> npt.NDArray[np.uint8]:
    """Return the page's pixels as RGBA, shape (height, width, 4)."""
    with Image.open(io.BytesIO(await page.screenshot(omit_background=True))) as image:
        return np.asarray(image.convert("RGBA"))


async def wait_for_track(radio: OnAir, number: int) -> None:
    await until(lambda: len(radio.tone.now_playing.tracks) >= number)


async def test_the_overlay_shows_the_title_on_a_transparent_background(browser: Browser) -> None:
    async with on_air(start=False) as radio, open_page(browser, f"{radio.root}/tone/overlay") as page:
        await radio.tone.start()
        await expect(page.locator("#title")).to_have_text("Tone 1 of seed 1", timeout=60_000)
        await expect(page.locator("#station")).to_have_text("Station tone")
        await expect(page.locator("#title")).to_have_css("opacity", "1")
        drawn = await pixels(page)
        assert drawn[:, -60:, 3].max() == 0
        assert drawn[-20:, :, 3].max() == 0
        letters = drawn[drawn[..., 3] == 255][:, :3]
        assert len(letters) > 500
        assert letters.max() > 235
        edges = drawn[(drawn[..., 3] > 60) & (drawn[..., 3] < 200)][:, :3]
        assert edges.min() < 40  # light letters with dark edges
        moved = re.compile(r"width: *([3-9]|\d\d)")  # per cent; wait_for_function uses eval, which the policy forbids
        await expect(page.locator("#progress")).to_have_attribute("style", moved, timeout=60_000)


async def test_query_parameters_style_the_overlay(browser: Browser) -> None:
    async with (
        on_air(start=False) as radio,
        open_page(browser, f"{radio.root}/tone/overlay?theme=dark&size=30&align=right") as page,
    ):
        await radio.tone.start()
        await expect(page.locator("#title")).to_have_text("Tone 1 of seed 1", timeout=60_000)
        await expect(page.locator("#title")).to_have_css("font-size", "30px")
        await expect(page.locator("#title")).to_have_css("opacity", "1")
        drawn = await pixels(page)
        assert drawn[:, :300, 3].max() == 0
        assert drawn[drawn[..., 3] == 255][:, :3].min() < 60


@pytest.mark.slow
async def test_a_delay_shows_titles_later(browser: Browser) -> None:
    async with on_air() as radio:
        await wait_for_track(radio, 2)
        async with open_page(browser, f"{radio.root}/tone/overlay?delay=5") as page:
            await expect(page.locator("#title")).to_have_text("Tone 1 of seed 1", timeout=4_000)
            await expect(page.locator("#title")).to_have_text("Tone 2 of seed 1", timeout=60_000)


@pytest.mark.slow
async def test_the_overlay_reconnects_after_a_restart(browser: Browser) -> None:
    async with on_air() as radio:
        port = radio.port
        browsing = open_page(browser, f"{radio.root}/tone/overlay")
        page = await browsing.__aenter__()
        await expect(page.locator("#title")).to_have_text("Tone 1 of seed 1", timeout=60_000)
    try:
        await page.wait_for_timeout(3_000)
        await expect(page.locator("#title")).to_have_text("Tone 1 of seed 1")  # it stays while the radio is down
        async with on_air(settings(seed=7), port=port):
            await expect(page.locator("#title")).to_have_text("Tone 1 of seed 7", timeout=30_000)
    finally:
        await browsing.__aexit__(None, None, None)


async def test_the_overlay_of_an_unknown_station_is_not_found() -> None:
    async with on_air(start=False) as radio, radio.http.get(f"{radio.root}/nope/overlay") as response:
        assert response.status == 404
