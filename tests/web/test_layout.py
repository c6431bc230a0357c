"""Tests of the page on a phone, its accessibility tree and its contrast, in Chromium."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.server.on_air import OnAir, on_air
from tests.server.tone_worker import settings
from tests.web.browser import OpenPage, press_play, script, take_screenshot
from tests.web.chromium import uses_browser

pytestmark = uses_browser


async def open_all_panels(radio: OnAir, page: Page) -> None:
    """Load the page and open its panels."""
    await page.goto(radio.root)
    for panel in ("controls", "make"):
        await page.locator(f"#{panel} > summary").click()
    await page.locator("#controls .control-group > summary").click()
    await expect(page.get_by_role("button", name="Make track")).to_be_visible()


async def test_a_phone_page_does_not_scroll_sideways(open_page: OpenPage) -> None:
    async with on_air() as radio:
        for width in (320, 390):
            page = await open_page("about:blank", viewport={"width": width, "height": 844}, has_touch=True)
            await open_all_panels(radio, page)
            await press_play(page)
            assert await page.evaluate("document.documentElement.scrollWidth") == width
            small = await page.evaluate(
                "[...document.querySelectorAll('button, a, select, summary')].filter((node) => {"
                "  const { width, height } = node.getBoundingClientRect();"
                "  return width && height && Math.min(width, height) < 24;"
                "}).map((node) => node.outerHTML)"
            )
            assert small == []
            await page.evaluate("scrollTo(0, 0)")
            await take_screenshot(page, f"phone-{width}")


async def test_elements_have_names_and_text_has_contrast(open_page: OpenPage) -> None:
    async with on_air(settings("tone"), settings("other")) as radio:
        for scheme in ("dark", "light"):
            page = await open_page("about:blank", color_scheme=scheme)
            await open_all_panels(radio, page)
            await expect(page.locator("#title")).to_contain_text("Tone")
            session = await page.context.new_cdp_session(page)
            tree = (await session.send("Accessibility.getFullAXTree"))["nodes"]
            roles = {"button", "link", "slider", "combobox", "checkbox", "textbox", "spinbutton", "img", "heading"}
            nodes = [node for node in tree if not node["ignored"] and node["role"]["value"] in roles]
            assert len(nodes) > 45
            unnamed = [node for node in nodes if not node.get("name", {}).get("value", "").strip()]
            assert unnamed == []
            landmarks = {node["role"]["value"] for node in tree if not node["ignored"]}
            assert {"banner", "main", "region", "status"} <= landmarks
            low_contrast = await page.evaluate(script("contrast"))
            assert low_contrast == [], scheme
