"""Tests of tracks made to order and of downloads of the last minutes, in Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Route, expect

from radio.paths import STATIONS
from radio.settings.config import load
from radio.types import SAMPLE_RATE
from radio.worker.supervisor import WORKER_COMMAND
from tests.server.on_air import ffmpeg, on_air
from tests.web.browser import OpenPage, take_screenshot, until, until_page
from tests.web.chromium import uses_browser

pytestmark = uses_browser

CHILL: Final = load(STATIONS).station("chill")


async def test_a_track_is_rendered_and_downloaded(open_page: OpenPage, tmp_path: Path) -> None:
    async with on_air(CHILL, start=False) as radio:
        page = await open_page(radio.root)
        await page.locator("#make > summary").click()
        await page.get_by_label("Instrument", exact=True).select_option(label="Vibraphone")
        await page.get_by_label("Seed").fill("7")
        await expect(page.get_by_role("slider", name="Length")).to_be_disabled()
        await page.get_by_label("Whole track").uncheck()
        await page.get_by_role("slider", name="Length").press("Home")
        temperature = page.get_by_label("Temperature", exact=True).and_(page.get_by_placeholder("The station's own"))
        await temperature.fill("1.05")
        await page.get_by_label("Drums", exact=True).select_option(label="Off")
        async with page.expect_request(lambda request: request.method == "POST") as order:
            await page.get_by_role("button", name="Make track").click()
        body = (await order.value).post_data_json
        assert (body["instrument"], body["controls"]) == (11, {"temperature": 1.05, "drums_mute": True})
        for name in ("chill-7.mp3", "chill-7.mid"):
            async with page.expect_download() as download:
                await page.get_by_role("link", name=name).click()
            await (await download.value).save_as(tmp_path / name)
        await take_screenshot(page, "make")
        track = page.get_by_label("Play chill-7.mp3")
        await track.press("ArrowUp")
        await track.press("Space")
        await until_page(page, "!document.querySelector('#orders audio').paused")
        await expect(page.get_by_role("slider", name="Volume")).to_have_value("80")
        await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Remove").click()
        await expect(page.locator("#orders li")).to_have_count(0)
    samples = await ffmpeg("-i", str(tmp_path / "chill-7.mp3"), "-f", "s16le", "-")
    assert len(samples) / (4 * SAMPLE_RATE) == pytest.approx(5, abs=0.1)
    assert (tmp_path / "chill-7.mid").read_bytes()[:4] == b"MThd"


async def test_the_form_defaults_to_a_whole_track_with_the_stations_settings(open_page: OpenPage) -> None:
    async with on_air(CHILL, start=False) as radio:
        page = await open_page(radio.root)
        await page.locator("#make > summary").click()
        await expect(page.get_by_label("Whole track")).to_be_checked()
        async with page.expect_request(lambda request: request.method == "POST") as order:
            await page.get_by_role("button", name="Make track").click()
        body = (await order.value).post_data_json
        assert body == {"station": "chill", "count": 1, "formats": ["mp3", "mid"], "controls": {}}
        await expect(page.locator("#orders li")).to_contain_text("whole track")
        await page.locator("#orders li").get_by_role("button").click()
        await expect(page.locator("#orders li")).to_have_count(0)


async def test_a_track_keeps_its_files_when_another_one_is_removed(open_page: OpenPage) -> None:
    jobs = {
        name: {
            "id": name, "state": "done", "place": 0, "progress": 1, "fault": None, "station": "tone",
            "instrument": "Rhodes", "tracks": 1, "seconds": None, "seeds": [7], "not_understood": [],
            "files": [{"name": f"{name}.{suffix}", "url": "/x", "bytes": 1} for suffix in ("mp3", "mid")],
        }
        for name in ("first", "second")
    }  # fmt: skip

    async def answer(route: Route) -> None:
        deletes = route.request.method == "DELETE"
        await (route.fulfill(status=204) if deletes else route.fulfill(json=jobs[route.request.url.split("/")[-1]]))

    async with on_air() as radio:
        page = await open_page("about:blank")
        await page.add_init_script("""sessionStorage.orders ??= '["first", "second"]'""")
        await page.route("**/api/tracks/*", answer)
        await page.goto(radio.root)
        await page.locator("#make > summary").click()
        await expect(page.locator("#orders > li")).to_have_count(2)
        await page.locator("#orders > li").first.get_by_role("button", name="Remove").click()
        await expect(page.locator("#orders > li")).to_have_count(1)
        await expect(page.locator("#orders a")).to_have_count(2)


async def test_only_one_rendered_track_plays_at_a_time(open_page: OpenPage) -> None:
    async with on_air() as radio:
        page = await open_page(radio.root)
        await expect(page.locator(".card")).to_have_count(1)
        await page.evaluate("""() => {
          const list = document.querySelector("#orders");
          window.tracks = [0, 1].map(() => list.appendChild(document.createElement("audio")));
          for (const track of tracks) track.pause = () => { track.title += "paused"; };
          tracks[0].dispatchEvent(new Event("play"));
        }""")
        assert await page.evaluate("tracks.map(({ title }) => title)") == ["", "paused"]
        await page.locator("#play").click()
        assert await page.evaluate("tracks.map(({ title }) => title)") == ["paused", "pausedpaused"]


@pytest.mark.slow
async def test_the_last_minutes_are_downloaded(open_page: OpenPage, tmp_path: Path) -> None:
    async with on_air(CHILL, worker=WORKER_COMMAND) as radio:
        await until(lambda: radio.channels["chill"].edge.live > 8 * SAMPLE_RATE)
        page = await open_page(radio.root)
        async with page.expect_download(timeout=60_000) as download:
            await page.get_by_role("link", name="Download the last three minutes").click()
            await expect(page.locator("#state")).to_contain_text("Rendering the file")
        await (await download.value).save_as(tmp_path / "last.mp3")
        assert (await download.value).suggested_filename.startswith("chill-")
    samples = await ffmpeg("-i", str(tmp_path / "last.mp3"), "-f", "s16le", "-")
    assert len(samples) / (4 * SAMPLE_RATE) > 4
