"""Tests of playback on the page, in Chromium."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

import pytest
from aiohttp import web
from playwright.async_api import Route, expect

from radio.errors import ServerError
from radio.paths import ARTWORK
from radio.settings.server import ServerSettings
from radio.types import SAMPLE_RATE
from tests.server.on_air import OnAir, on_air
from tests.server.tone_worker import TRACK, settings
from tests.web.browser import OpenPage, press_play, script, take_screenshot, until, until_page
from tests.web.chromium import uses_browser

pytestmark = uses_browser

SHORT_BURSTS: Final = ServerSettings(burst={"opus": 2.0, "mp3": 2.0, "aac": 2.0})
TWO_TONE_WORKER: Final = (sys.executable, "-m", "tests.web.two_tone_worker")


async def test_play_starts_audio_and_shows_the_track(open_page: OpenPage) -> None:
    async with on_air(settings("tone"), settings("other")) as radio:
        page = await open_page(radio.root)
        await expect(page.locator(".card")).to_have_count(2)
        await press_play(page)
        start = await page.evaluate("playerAudio.currentTime")
        await until_page(page, f"playerAudio.currentTime > {start} + 1")
        await expect(page.locator("#title")).to_contain_text("Tone")
        await expect(page.locator("#chords li, #bar")).not_to_have_count(0)
        await expect(page.locator("#state")).to_contain_text("Tone")
        await expect(page.locator("#announcer")).to_have_text(re.compile(r"Tone \d of seed 1, on Station tone"))
        assert (await page.title()).endswith("Station tone")
        assert await page.evaluate("navigator.mediaSession.metadata.artist") == "Station tone"
        assert await page.evaluate("shifts") < 0.02
        await until(lambda: radio.tone.listeners == 1)
        piano_roll = "document.getElementById('roll').toDataURL()"
        picture = await page.evaluate(piano_roll)
        await until_page(page, f"{piano_roll} !== {picture!r}")
        await take_screenshot(page, "page")
        await page.get_by_role("button", name="Stop", exact=True).click()
        await until(lambda: radio.tone.listeners == 0)


@pytest.mark.slow
async def test_the_title_changes_when_the_audio_does(open_page: OpenPage) -> None:
    """The title on the page follows the pitch of the audio within half a second."""
    async with on_air(worker=TWO_TONE_WORKER) as radio:
        page = await open_page(radio.root)
        await press_play(page)
        await page.evaluate(script("record_changes"))
        await until_page(page, "changes.audio.length >= 2 && changes.page.length >= 2")
        changes = await page.evaluate("changes")
    for pitch, audio_time in changes["audio"][:2]:
        delay = min(abs(audio_time - page_time) for title, page_time in changes["page"] if title == pitch)
        assert delay < 500, changes


async def test_a_hidden_page_is_connected_only_while_it_plays(open_page: OpenPage) -> None:
    """Browsers open at most six connections to a server, so that pages in the background would keep others waiting."""
    async with on_air() as radio:
        page = await open_page("about:blank")
        await page.add_init_script(
            "window.covered = true; Object.defineProperty(document, 'hidden', { get: () => window.covered });"
            "localStorage.volume = 'loud';"  # of another page of the same site
        )
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        await page.goto(radio.root)
        await expect(page.locator("#player-station")).to_have_text("Station tone")
        assert not any("/tone/events" in address for address in requests)
        for covered, count in (("false", 1), ("true", 0)):
            await page.evaluate(f"covered = {covered}; document.dispatchEvent(new Event('visibilitychange'))")
            await until(lambda expected=count: len(radio.tone.subscribers) == expected)  # type: ignore[misc]
        await press_play(page)
        await until(lambda: len(radio.tone.subscribers) == 1)
        # The system pauses a stream that has run out of audio, because headphones were unplugged.
        await page.evaluate("playerAudio.dispatchEvent(new Event('waiting')); playerAudio.pause()")
        await until(lambda: (radio.tone.listeners, len(radio.tone.subscribers)) == (0, 0))


async def test_keyboard_shortcuts(open_page: OpenPage) -> None:
    async with on_air(settings("tone"), settings("other")) as radio:
        page = await open_page(radio.root)
        await expect(page.locator(".card")).to_have_count(2)
        await page.keyboard.press("Space")
        await until(lambda: radio.tone.listeners == 1)
        await page.keyboard.press("ArrowRight")
        await until(lambda: (radio.tone.listeners, radio.channels["other"].listeners) == (0, 1))
        await page.keyboard.press("1")
        await until(lambda: (radio.tone.listeners, radio.channels["other"].listeners) == (1, 0))
        await page.keyboard.press("m")
        assert await page.evaluate("playerAudio.muted")
        await page.keyboard.press("ArrowDown")
        assert await page.evaluate("!playerAudio.muted && playerAudio.volume < 0.64")
        await expect(page.get_by_role("slider", name="Volume")).to_have_value("75")
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        await page.keyboard.press("1")  # the open dialog takes the key
        await page.keyboard.press("Escape")
        theme = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        await page.keyboard.press("t")
        await until_page(page, f"getComputedStyle(document.body).backgroundColor !== {theme!r}")
        await page.keyboard.press("Space")
        await until(lambda: radio.tone.listeners == 0)
        await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
        assert await page.evaluate("playerAudio.paused")


async def test_a_key_right_after_a_dialog_closes_reaches_the_page(open_page: OpenPage) -> None:
    """Chromium keeps the focus on the dialog's button until the next paint, which can be late on a busy machine."""
    async with on_air() as radio:
        page = await open_page(radio.root)
        await expect(page.locator(".card")).to_have_count(1)
        await page.keyboard.press("?")
        press = "new KeyboardEvent('keydown', { key: ' ', bubbles: true, cancelable: true })"
        await page.evaluate(f"document.activeElement.dispatchEvent({press})")  # the open dialog takes the key
        await expect(page.get_by_role("button", name="Play", exact=True, include_hidden=True)).to_have_count(1)
        await page.evaluate(f"(help => {{ help.close(); document.activeElement.dispatchEvent({press}); }})(help)")
        await until(lambda: radio.tone.listeners == 1)


async def test_shortcuts_can_be_switched_off(open_page: OpenPage) -> None:
    async with on_air() as radio:
        page = await open_page(radio.root)
        await expect(page.locator(".card")).to_have_count(1)
        await page.locator("#help-open").click()
        await page.get_by_label("Use these shortcuts").uncheck()
        await page.reload()
        await expect(page.locator(".card")).to_have_count(1)
        await page.keyboard.press("m")
        await expect(page.locator("#mute")).to_have_attribute("aria-pressed", "false")
        await page.locator("#help-open").click()
        await page.get_by_label("Use these shortcuts").check()
        await page.keyboard.press("Escape")
        await page.keyboard.press("m")
        await expect(page.locator("#mute")).to_have_attribute("aria-pressed", "true")


async def test_the_page_shows_a_title_and_a_picture_that_a_reload_has_changed(open_page: OpenPage) -> None:
    async with on_air() as radio:
        page = await open_page(radio.root)
        picture = page.locator("#artwork")
        before = await picture.get_attribute("src")
        await expect(page.locator(".card")).to_contain_text(radio.tone.settings.title)
        await radio.tone.reconfigure(replace(radio.tone.settings, title="Renamed", description="New", image=ARTWORK))
        await page.evaluate("dispatchEvent(new Event('online'))")  # the page asks for the stations now
        for place in ("#station-title", "#player-station", ".card"):
            await expect(page.locator(place)).to_contain_text("Renamed")
        await expect(page.locator("#description")).to_have_text("New")
        await expect(picture).not_to_have_attribute("src", before or "")
        await expect(page.locator(".card img")).to_have_attribute("src", await picture.get_attribute("src") or "")


async def test_the_sleep_timer_fades_out_and_stops(open_page: OpenPage) -> None:
    async with on_air() as radio:
        page = await open_page("about:blank")
        await page.clock.install()
        await page.goto(radio.root)
        menu = page.get_by_role("combobox", name="Sleep timer")
        await page.keyboard.press("s")
        await expect(page.locator("#sleep-left")).to_have_text("15′")
        await menu.press("Home")  # "Off"
        await expect(page.locator("#sleep-left")).to_have_text("")
        await press_play(page)
        await menu.select_option("15")
        await expect(page.locator("#sleep-left")).to_have_text("15′")
        full = await page.evaluate("playerAudio.volume")
        await page.clock.fast_forward("14:50")
        await until_page(page, f"playerAudio.volume > 0 && playerAudio.volume < {full} / 2")
        await page.clock.fast_forward(11_000)
        await until(lambda: radio.tone.listeners == 0)
        await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
        await expect(page.locator("#sleep-left")).to_have_text("")


async def test_playback_starts_once_it_is_allowed_and_connections_no_longer_hang(open_page: OpenPage) -> None:
    connections: list[str] = []
    hangs = True

    async def connect(route: Route) -> None:
        connections.append(route.request.url)
        if not hangs:
            await route.continue_()

    async with on_air() as radio:
        page = await open_page("about:blank")
        await page.clock.install()
        await page.route(re.compile(r"/tone\.\w+\?sid="), connect)
        await page.goto(radio.root)
        play = page.get_by_role("button", name="Play", exact=True)
        refuse = "async () => { throw new DOMException('', 'NotAllowedError'); }"
        await page.evaluate(f"void (playerAudio.play = {refuse})")
        await play.click()
        await expect(page.locator("#state")).to_have_text("Press play to start")
        await page.evaluate("delete playerAudio.play")
        known = len(connections)
        await play.click()
        for count in range(1, 5):
            await until(lambda least=known + count: len(connections) >= least)
            hangs = count < 4
            await page.clock.fast_forward(13_000)  # the page gives up the connection
            await page.clock.fast_forward(20_000)  # the pause before the next one
        await until_page(page, "!playerAudio.paused && playerAudio.currentTime > 0.3")
        await until(lambda: radio.tone.listeners == 1)


@pytest.mark.slow
async def test_playback_resumes_after_the_server_restarts(open_page: OpenPage) -> None:
    async with on_air(server=SHORT_BURSTS) as radio:
        page = await open_page(radio.root)
        await press_play(page)
        await expect(page.locator("#title")).to_contain_text("Tone")
        port = radio.port
    await expect(page.locator("#state")).to_have_text(re.compile("lost|Buffering"))
    async with on_air(settings("tone", seed=5), server=SHORT_BURSTS, port=port) as radio:
        await until(lambda: radio.tone.listeners == 1)
        await until_page(page, "!playerAudio.paused && playerAudio.currentTime > 0.3")
        await expect(page.locator("#title")).to_contain_text("of seed 5")
        await expect(page.locator("#state")).to_contain_text("of seed 5")


@pytest.mark.slow
async def test_a_browser_without_opus_and_aac_plays_mp3(open_page: OpenPage) -> None:
    async with on_air() as radio:
        page = await open_page("about:blank")
        await page.add_init_script(
            "const can = HTMLMediaElement.prototype.canPlayType;"
            "HTMLMediaElement.prototype.canPlayType = function (type) {"
            " return /opus|aac/.test(type) ? '' : can.call(this, type); };"
        )
        await page.goto(radio.root)
        await press_play(page)
        assert (await page.evaluate("new URL(playerAudio.src).pathname")) == "/tone.mp3"
        await expect(page.locator("#title")).to_contain_text("Tone")


@pytest.mark.slow
async def test_another_site_can_embed_a_station(open_page: OpenPage) -> None:
    async with on_air(settings("tone"), settings("other")) as radio, on_air(start=False) as other_site:
        page = await open_page("about:blank")
        await page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        await page.clock.install()
        await page.goto(f"{other_site.root}/healthz")
        frame = f'<iframe src="http://localhost:{radio.port}/embed/other" width=420 height=132 allow=autoplay></iframe>'
        await page.set_content(frame)
        inside = page.frame_locator("iframe")
        heading, edge = inside.get_by_role("heading"), radio.channels["other"].edge
        await expect(heading).to_contain_text("Tone")
        first, then = await heading.inner_text(), edge.live
        await until(lambda: edge.live > then + TRACK + SAMPLE_RATE)
        await page.clock.fast_forward(31_000)
        await expect(heading).not_to_have_text(first)  # before it plays
        await expect(heading).to_contain_text("Tone")
        await inside.get_by_role("button", name="Play").click()
        await until(lambda: radio.channels["other"].listeners == 1)
        await take_screenshot(page, "embed")


@contextlib.asynccontextmanager
async def proxy(radio: OnAir, prefix: str) -> AsyncIterator[str]:
    """Run a proxy that serves the radio below a path prefix. Yield its address."""

    async def forward(request: web.Request) -> web.StreamResponse:
        async with radio.http.get(f"{radio.root}/{request.match_info['path']}?{request.query_string}") as source:
            headers = {
                name: source.headers[name]
                for name in ("Content-Type", "Content-Security-Policy")
                if name in source.headers
            }
            response = web.StreamResponse(status=source.status, headers=headers)
            await response.prepare(request)
            with contextlib.suppress(ConnectionError):
                async for data in source.content.iter_any():
                    await response.write(data)
            return response

    app = web.Application()
    app.router.add_get(prefix + "{path:.*}", forward)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}{prefix}"
    finally:
        await runner.cleanup()


@pytest.mark.slow
async def test_the_radio_works_below_a_path_prefix(open_page: OpenPage) -> None:
    async with on_air() as radio, proxy(radio, "/house/radio/") as address:
        for path in ("", "embed/tone"):
            page = await open_page(address + path)
            await press_play(page)
            await expect(page.locator("#title")).to_contain_text("Tone")
            assert await page.evaluate("document.getElementById('artwork').naturalWidth") > 0
            await page.close()


async def test_a_station_that_cannot_play_says_so(open_page: OpenPage) -> None:
    async with on_air(settings(), settings("broken", description="fails to open"), start=False) as radio:
        await radio.tone.start()
        with pytest.raises(ServerError):
            await radio.channels["broken"].start()
        await until(lambda: radio.channels["broken"].edge.on_air)
        page = await open_page(radio.root)
        cards = page.locator(".card-track")
        await expect(cards.nth(1)).to_have_text("Playing textures until the music resumes")
        await expect(cards.nth(0)).to_contain_text("Tone")
