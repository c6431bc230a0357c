"""The page in Debian's Chromium: what a listener does, and what must be seen and heard of it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Page, expect

from radio.paths import STATIONS
from radio.server.broadcast.channel import WORKER
from radio.server.http.authorization import Authorization
from radio.settings.config import load
from radio.settings.server import ServerSettings
from radio.types import SAMPLE_RATE
from tests.server import on_air as front
from tests.server.on_air import OnAir, ffmpeg, on_air
from tests.server.tone_worker import settings
from tests.web.conftest import shoot

Opened = Callable[..., Awaitable[Page]]
CHILL = load(STATIONS).station("chill")
SHORT = ServerSettings(burst={"opus": 2.0, "mp3": 2.0, "aac": 2.0})
SCRIPTS = ("record_changes", "contrast", "three_days", "playback_clocks")
EAR, CONTRAST, DAYS, CLOCKS = (Path(__file__).with_name(f"{name}.js") for name in SCRIPTS)
MARKED = (sys.executable, "-m", "tests.web.two_tone_worker")

expect.set_options(timeout=40_000)


async def until(condition: Callable[[], bool]) -> None:
    """As patient as the rest here: a browser takes its time on a busy machine."""
    await front.until(condition, deadline=40)


async def holds(page: Page, expression: str) -> None:
    """Return once the expression is true; the page's policy forbids Playwright's own way, which is to evaluate text."""
    end = time.monotonic() + 40
    while not await page.evaluate(expression):
        assert time.monotonic() < end, f"never: {expression}"
        await asyncio.sleep(0.05)


async def press_play(page: Page) -> None:
    await page.get_by_role("button", name="Play", exact=True).click()
    await holds(page, "window.sound && !sound.paused && sound.currentTime > 0.3")


async def test_play_is_heard_and_seen(open_page: Opened) -> None:
    async with on_air(settings("tone"), settings("other")) as radio:
        page = await open_page(radio.root)
        await expect(page.locator(".card")).to_have_count(2)
        await press_play(page)
        since = await page.evaluate("sound.currentTime")
        await holds(page, f"sound.currentTime > {since} + 1")
        await expect(page.locator("#title")).to_contain_text("Tone")
        await expect(page.locator("#chords li, #bar")).not_to_have_count(0)
        await expect(page.locator("#state")).to_contain_text("Tone")
        await expect(page.locator("#announcer")).to_have_text(re.compile(r"Tone \d of seed 1, on Station tone"))
        assert (await page.title()).endswith("Station tone")
        assert await page.evaluate("navigator.mediaSession.metadata.artist") == "Station tone"
        assert await page.evaluate("shifts") < 0.02
        await until(lambda: radio.tone.listeners == 1)
        # The roll has drawn notes, and goes on drawing.
        drawn = "(() => { const c = document.getElementById('roll'); return c.toDataURL(); })()"
        before = await page.evaluate(drawn)
        await holds(page, f"{drawn} !== {before!r}")
        await shoot(page, "page")
        await page.get_by_role("button", name="Stop", exact=True).click()
        await until(lambda: radio.tone.listeners == 0)


@pytest.mark.slow
async def test_a_title_is_shown_when_it_is_heard(open_page: Opened) -> None:
    """What sounds says which title is right; the page must say the same within half a second, each time it turns."""
    async with on_air(worker=MARKED) as radio:
        page = await open_page(radio.root)
        await press_play(page)
        await page.evaluate(EAR.read_text())
        await holds(page, "turns.heard.length >= 2 && turns.shown.length >= 2")
        turns = await page.evaluate("turns")
    heard, shown = turns["heard"], turns["shown"]
    for pitch, at in heard[:2]:
        nearest = min(abs(at - when) for title, when in shown if title == pitch)
        assert nearest < 500, turns


async def test_a_slider_turns_the_station(open_page: Opened) -> None:
    async with on_air() as radio:
        page = await open_page(radio.root)
        await press_play(page)
        await page.locator("#controls > summary").click()
        tempo = page.get_by_role("slider", name="Tempo")
        at_first = radio.tone.controls.tempo
        await tempo.press("ArrowRight")
        await until(lambda: radio.tone.controls.tempo == at_first + 1)
        await expect(page.locator("#said")).to_contain_text("Tempo: heard")
        await expect(tempo).to_have_attribute("aria-valuetext", f"{at_first + 1:g} BPM")
        mute = page.get_by_role("button", name="Mute keys")
        await mute.click()
        await until(lambda: radio.tone.controls.keys_mute)
        await expect(mute).to_have_attribute("aria-pressed", "true")
        # Someone else turns it, too.
        async with radio.http.patch(f"{radio.root}/api/stations/tone/controls", json={"density": 0.25}) as response:
            assert response.status == 200
        await expect(page.get_by_role("slider", name="Density")).to_have_value("0.25")
        await page.get_by_role("button", name="Reset all").click()
        await until(lambda: radio.tone.controls == radio.tone.settings.controls)
        await expect(mute).to_have_attribute("aria-pressed", "false")
        await expect(tempo).to_have_value(f"{at_first:g}")
        await shoot(page, "controls")


@pytest.mark.slow
async def test_whoever_turns_the_music_hears_it_soon(open_page: Opened) -> None:
    async with on_air() as radio:
        await until(lambda: radio.tone.edge.live > 8 * SAMPLE_RATE)  # else there is no past to leave behind
        page = await open_page(radio.root)
        await press_play(page)
        await page.locator("#controls > summary").click()
        await page.get_by_role("button", name="Mute keys").click()
        await holds(page, "new URL(sound.src).searchParams.get('burst') === '2' && sound.currentTime > 0")
        await expect(page.locator("#said")).to_have_text(re.compile(r"Keys: heard (now|in \d s)\."))
        await until(lambda: radio.tone.listeners == 1)


async def test_the_token_is_asked_for_once(open_page: Opened) -> None:
    async with on_air(authorization=Authorization(control=True, token="evening")) as radio:
        page = await open_page(radio.root)
        await page.locator("#controls > summary").click()
        rain = page.get_by_role("button", name="Mute rain")
        was = radio.tone.controls.rain_mute
        for given in ("guess", "evening"):
            if given == "guess":
                await rain.click()
            await page.get_by_label("Control token").fill(given)
            await page.get_by_role("button", name="Use it").click()
        await until(lambda: radio.tone.controls.rain_mute != was)
        await rain.click()
        await until(lambda: radio.tone.controls.rain_mute == was)
        await expect(page.locator("#token")).not_to_be_visible()
    async with on_air(authorization=Authorization(control=False, token=None)) as radio:
        page = await open_page(radio.root)
        await expect(page.locator(".card")).to_have_count(1)
        await expect(page.locator("#controls")).to_be_hidden()
        await expect(page.locator("#make")).to_be_hidden()


async def test_the_keyboard_does_it_all(open_page: Opened) -> None:
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
        assert await page.evaluate("sound.muted")
        await page.keyboard.press("ArrowDown")
        assert await page.evaluate("!sound.muted && sound.volume < 0.64")
        await expect(page.get_by_role("slider", name="Volume")).to_have_value("75")
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
        await page.keyboard.press("1")  # belongs to the dialog now
        await page.keyboard.press("Escape")
        theme = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        await page.keyboard.press("t")
        await holds(page, f"getComputedStyle(document.body).backgroundColor !== {theme!r}")
        await page.keyboard.press("Space")
        await until(lambda: radio.tone.listeners == 0)
        await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
        assert await page.evaluate("sound.paused")


async def test_a_key_may_follow_at_once_on_a_dialog_that_closes(open_page: Opened) -> None:
    """Chromium leaves the focus on the dialog's button until it next draws, which on a busy machine takes a while."""
    async with on_air() as radio:
        page = await open_page(radio.root)
        await expect(page.locator(".card")).to_have_count(1)
        await page.keyboard.press("?")
        press = "new KeyboardEvent('keydown', { key: ' ', bubbles: true, cancelable: true })"
        await page.evaluate(f"document.activeElement.dispatchEvent({press})")  # the button's, as long as it is there
        await expect(page.get_by_role("button", name="Play", exact=True, include_hidden=True)).to_have_count(1)
        await page.evaluate(f"(help => {{ help.close(); document.activeElement.dispatchEvent({press}); }})(help)")
        await until(lambda: radio.tone.listeners == 1)


async def test_the_sleep_timer_fades_and_stops(open_page: Opened) -> None:
    async with on_air() as radio:
        page = await open_page("about:blank")
        await page.clock.install()
        await page.goto(radio.root)
        await press_play(page)
        await page.get_by_role("combobox", name="Sleep timer").select_option("15")
        await expect(page.locator("#sleep-left")).to_have_text("15′")
        full = await page.evaluate("sound.volume")
        await page.clock.fast_forward("14:50")
        await holds(page, f"sound.volume > 0 && sound.volume < {full} / 2")
        await page.clock.fast_forward(11_000)
        await until(lambda: radio.tone.listeners == 0)
        await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
        await expect(page.locator("#sleep-left")).to_have_text("")


@pytest.mark.slow
async def test_it_plays_on_after_the_radio_was_started_anew(open_page: Opened) -> None:
    async with on_air(server=SHORT) as radio:
        page = await open_page(radio.root)
        await press_play(page)
        await expect(page.locator("#title")).to_contain_text("Tone")
        port = radio.port
    await expect(page.locator("#state")).to_have_text(re.compile("lost|network"))
    async with on_air(settings("tone", seed=5), server=SHORT, port=port) as radio:
        await until(lambda: radio.tone.listeners == 1)
        await holds(page, "!sound.paused && sound.currentTime > 0.3")
        await expect(page.locator("#title")).to_contain_text("of seed 5")
        await expect(page.locator("#state")).to_contain_text("of seed 5")


async def test_a_track_is_made_and_saved(open_page: Opened, tmp_path: Path) -> None:
    async with on_air(CHILL, start=False) as radio:
        page = await open_page(radio.root)
        await page.locator("#make > summary").click()
        await page.get_by_label("Instrument").select_option(label="Vibraphone")
        await page.get_by_label("Seed").fill("7")
        await page.get_by_role("slider", name="Length").press("Home")
        await page.get_by_role("button", name="Make it").click()
        for name in ("chill-7.mp3", "chill-7.mid"):
            async with page.expect_download() as download:
                await page.get_by_role("link", name=name).click()
            await (await download.value).save_as(tmp_path / name)
        await shoot(page, "make")
        await page.get_by_role("button", name="Remove").click()
        await expect(page.locator("#orders li")).to_have_count(0)
    samples = await ffmpeg("-i", str(tmp_path / "chill-7.mp3"), "-f", "s16le", "-")
    assert len(samples) / (4 * SAMPLE_RATE) == pytest.approx(5, abs=0.1)
    assert (tmp_path / "chill-7.mid").read_bytes()[:4] == b"MThd"


@pytest.mark.slow
async def test_the_last_minutes_are_saved(open_page: Opened, tmp_path: Path) -> None:
    async with on_air(CHILL, worker=WORKER) as radio:
        await until(lambda: radio.channels["chill"].edge.live > 8 * SAMPLE_RATE)
        page = await open_page(radio.root)
        async with page.expect_download(timeout=60_000) as download:
            await page.get_by_role("link", name="Save the last three minutes").click()
            await expect(page.locator("#state")).to_contain_text("being rendered")
        await (await download.value).save_as(tmp_path / "last.mp3")
        assert (await download.value).suggested_filename.startswith("chill-")
    samples = await ffmpeg("-i", str(tmp_path / "last.mp3"), "-f", "s16le", "-")
    assert len(samples) / (4 * SAMPLE_RATE) > 4


@pytest.mark.slow
async def test_another_site_may_frame_one_station(open_page: Opened) -> None:
    async with on_air(settings("tone"), settings("other")) as radio, on_air(start=False) as elsewhere:
        page = await open_page("about:blank")
        await page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        await page.goto(f"{elsewhere.root}/healthz")
        frame = f'<iframe src="http://localhost:{radio.port}/embed/other" width=420 height=132 allow=autoplay></iframe>'
        await page.set_content(frame)
        inside = page.frame_locator("iframe")
        await inside.get_by_role("button", name="Play").click()
        await until(lambda: radio.channels["other"].listeners == 1)
        await expect(inside.get_by_role("heading")).to_contain_text("Tone")
        await shoot(page, "embed")


@pytest.mark.slow
async def test_a_browser_without_opus_gets_what_it_plays(open_page: Opened) -> None:
    async with on_air() as radio:
        page = await open_page("about:blank")
        await page.add_init_script(
            "const can = HTMLMediaElement.prototype.canPlayType;"
            "HTMLMediaElement.prototype.canPlayType = function (type) {"
            " return /opus|aac/.test(type) ? '' : can.call(this, type); };"
        )
        await page.goto(radio.root)
        await press_play(page)
        assert (await page.evaluate("new URL(sound.src).pathname")) == "/tone.mp3"
        await expect(page.locator("#title")).to_contain_text("Tone")


@contextlib.asynccontextmanager
async def below(radio: OnAir, prefix: str) -> AsyncIterator[str]:
    """A proxy that has the radio below a path of its own; its address there."""

    async def forward(request: web.Request) -> web.StreamResponse:
        async with radio.http.get(f"{radio.root}/{request.match_info['path']}?{request.query_string}") as answer:
            headers = {
                name: answer.headers[name]
                for name in ("Content-Type", "Content-Security-Policy")
                if name in answer.headers
            }
            response = web.StreamResponse(status=answer.status, headers=headers)
            await response.prepare(request)
            with contextlib.suppress(ConnectionError):
                async for data in answer.content.iter_any():
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
async def test_the_radio_may_lie_below_any_path(open_page: Opened) -> None:
    async with on_air() as radio, below(radio, "/house/radio/") as address:
        for path in ("", "embed/tone"):
            page = await open_page(address + path)
            await press_play(page)
            await expect(page.locator("#title")).to_contain_text("Tone")
            assert await page.evaluate("document.getElementById('sleeve').naturalWidth") > 0
            await page.close()


async def everything_open(radio: OnAir, page: Page) -> None:
    await page.goto(radio.root)
    for panel in ("controls", "make"):
        await page.locator(f"#{panel} > summary").click()
    await page.locator("#controls .more summary").click()
    await expect(page.get_by_role("button", name="Make it")).to_be_visible()


async def test_a_phone_scrolls_one_way_only(open_page: Opened) -> None:
    async with on_air() as radio:
        for width in (320, 390):
            page = await open_page("about:blank", viewport={"width": width, "height": 844}, has_touch=True)
            await everything_open(radio, page)
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
            await shoot(page, f"phone-{width}")


async def test_every_control_has_a_name_and_every_word_can_be_read(open_page: Opened) -> None:
    async with on_air(settings("tone"), settings("other")) as radio:
        for scheme in ("dark", "light"):
            page = await open_page("about:blank", color_scheme=scheme)
            await everything_open(radio, page)
            await expect(page.locator("#title")).to_contain_text("Tone")
            session = await page.context.new_cdp_session(page)
            tree = (await session.send("Accessibility.getFullAXTree"))["nodes"]
            roles = {"button", "link", "slider", "combobox", "checkbox", "textbox", "spinbutton", "img", "heading"}
            nodes = [node for node in tree if not node["ignored"] and node["role"]["value"] in roles]
            assert len(nodes) > 45
            nameless = [node for node in nodes if not node.get("name", {}).get("value", "").strip()]
            assert nameless == []
            landmarks = {node["role"]["value"] for node in tree if not node["ignored"]}
            assert {"banner", "main", "region", "status"} <= landmarks
            weak = await page.evaluate(CONTRAST.read_text())
            assert weak == [], scheme


async def test_what_is_remembered_is_bounded(open_page: Opened) -> None:
    """Three days of events go through a timeline: it keeps those of the last minutes."""
    async with on_air(start=False) as radio:
        page = await open_page(radio.root)
        tracks, bars, notes = await page.evaluate(DAYS.read_text())
        assert tracks <= 16
        assert bars <= 64
        assert notes <= 4_000


@pytest.mark.parametrize("joined", [10, 30, 60, 85, 100, 3600])
async def test_either_kind_of_clock_is_known_however_long_the_radio_has_played(open_page: Opened, joined: int) -> None:
    async with on_air(start=False) as radio:
        page = await open_page(radio.root)
        heard = await page.evaluate(CLOCKS.read_text(), joined)
    assert heard == pytest.approx([max(0, joined - 22) + 30] * 2, abs=0.2)
