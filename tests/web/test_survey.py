"""The page of a survey in Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Route, expect

from radio.server.survey.app import Survey, build
from radio.server.survey.pairs import read_pairs
from radio.server.survey.passages import prepare
from radio.server.survey.store import Store
from tests.server.survey.folders import make_folder
from tests.web.browser import OpenPage, take_screenshot, until, until_page
from tests.web.chromium import uses_browser

pytestmark = uses_browser


@pytest_asyncio.fixture(loop_scope="session")
async def survey(tmp_path: Path) -> AsyncIterator[tuple[Survey, str]]:
    folder = make_folder(tmp_path)
    prepare(read_pairs(folder), tmp_path, seconds=1.2)
    with Store(tmp_path / "answers.sqlite") as store:
        survey = Survey("Keys of the night", read_pairs(folder), tmp_path, store, seed=1, count=12)
        async with TestServer(build(survey)) as server:
            yield survey, str(server.make_url("/"))
        await survey.close()


async def test_a_passage_that_is_paused_before_it_begins_is_no_error(
    open_page: OpenPage, survey: tuple[Survey, str]
) -> None:
    waiting: list[Route] = []

    async def wait(route: Route) -> None:
        waiting.append(route)

    page = await open_page(survey[1])
    await page.route("**/audio/**", wait)
    await page.get_by_role("button", name="Start").click()
    await until(lambda: len(waiting) == 2)
    for side in ("a", "b"):
        await page.locator(f"#play-{side}").click()
    await expect(page.locator("#play-b")).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("#play-a")).to_have_attribute("aria-pressed", "false")
    for route in waiting:
        await route.continue_()
    await until_page(page, "document.querySelector('#play-b progress').value > 0.99")
    await expect(page.locator("#error")).to_be_hidden()


async def test_a_listener_answers_every_pair(open_page: OpenPage, survey: tuple[Survey, str]) -> None:
    running, address = survey
    page = await open_page(address, viewport={"width": 360, "height": 800})
    await take_screenshot(page, "survey-start")
    await page.get_by_role("button", name="Start").click()
    following = page.get_by_role("button", name="Next")
    for place in range(2):
        await expect(page.get_by_text(f"Pair {place + 1} of 2")).to_be_visible()
        await expect(following).to_be_disabled()
        await expect(page.locator("#play-a")).to_be_focused()
        for side in ("a", "b"):
            button = page.locator(f"#play-{side}")
            await button.click()
            await until_page(page, f"document.querySelector('#play-{side} progress').value > 0.99")
        await expect(page.get_by_text("Answer every question.")).to_be_visible()
        groups = page.get_by_role("group")
        for number in range(await groups.count()):
            await groups.nth(number).get_by_text(("A", "B", "No difference")[number], exact=True).click()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for width in (1280, 360):
            await page.set_viewport_size({"width": width, "height": 800})
            await take_screenshot(page, f"survey-pair-{place}-{width}")
        await following.click()
    await expect(page.get_by_text("Thank you!")).to_be_visible()
    await take_screenshot(page, "survey-end")
    answers = running.store.answers()
    assert sorted(answer.question for answer in answers) == ["balance"] * 2 + ["match"] + ["quality"] * 2
    assert {answer.winner for answer in answers if answer.question == "match"} == {""}
