"""Tests of the field that describes the music, in Chromium."""

from __future__ import annotations

from playwright.async_api import expect

from tests.server.on_air import on_air
from tests.web.browser import SCREENSHOTS, OpenPage, take_screenshot, until
from tests.web.chromium import uses_browser

pytestmark = uses_browser


async def test_words_change_the_station_and_the_page_shows_what_each_has_changed(open_page: OpenPage) -> None:
    async with on_air() as radio:
        page = await open_page(radio.root)
        field = page.get_by_role("textbox", name="Describe the music")
        await field.fill("Rainy night, slow, a bit sad, felt piano, no drums, with a saxophone")
        await field.press("Enter")
        await until(lambda: radio.tone.controls.tempo == 66)
        assert radio.tone.controls.drums_mute
        assert radio.tone.controls.keys_instrument == "felt piano"
        answer = page.locator("#prompt-answer")
        await expect(answer.locator(".understood", has_text="felt piano")).to_contain_text(
            "Keys instrument: felt piano"
        )
        await expect(answer.locator(".not-understood")).to_have_count(1)
        await expect(answer.locator(".not-understood")).to_contain_text("the radio has no such instrument")
        await expect(page.locator("#prompt-status")).to_contain_text("over 4 bars")
        await answer.scroll_into_view_if_needed()
        await take_screenshot(page, "describe")
        await page.set_viewport_size({"width": 390, "height": 844})
        await page.locator("#describe").scroll_into_view_if_needed()
        await page.locator("#describe").screenshot(path=SCREENSHOTS / "describe-phone.png")
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390
        await field.fill("purple elephants")
        await page.get_by_role("button", name="Change the music").click()
        await expect(page.locator("#prompt-status")).to_have_text("Nothing changes.")
