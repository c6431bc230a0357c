"""Tests of the page's control panel, in Chromium."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from msgspec import to_builtins
from playwright.async_api import Route, expect

from radio.compose.prime import from_json
from radio.server.http.authorization import Authorization
from radio.types import SAMPLE_RATE
from tests.compose.listening.songs import song
from tests.server.on_air import on_air
from tests.server.tone_worker import settings
from tests.transcription.sounds import needs_network
from tests.web.browser import OpenPage, press_play, take_screenshot, until, until_page
from tests.web.chromium import uses_browser

pytestmark = uses_browser


async def test_controls_change_the_station(open_page: OpenPage) -> None:
    connections: list[Route] = []

    async def hold(route: Route) -> None:
        connections.append(route)

    async with on_air(settings("tone"), settings("other")) as radio:
        page = await open_page(radio.root)
        await press_play(page)
        await page.locator("#controls > summary").click()
        tempo = page.get_by_role("slider", name="Tempo", exact=True)
        initial = radio.tone.controls.tempo
        await tempo.press("ArrowRight")
        await until(lambda: radio.tone.controls.tempo == initial + 1)
        await expect(page.locator("#controls-status")).to_contain_text("Tempo: takes effect")
        await expect(tempo).to_have_attribute("aria-valuetext", f"{initial + 1:g} BPM")
        mute = page.get_by_role("button", name="Mute keys")
        await mute.click()
        await until(lambda: radio.tone.controls.keys_mute)
        await expect(mute).to_have_attribute("aria-pressed", "true")
        # A change by another client is shown.
        async with radio.http.patch(f"{radio.root}/api/stations/tone/controls", json={"density": 0.25}) as response:
            assert response.status == 200
        await expect(page.get_by_role("slider", name="Density", exact=True)).to_have_value("0.25")
        await page.get_by_role("button", name="Reset all").click()
        await until(lambda: radio.tone.controls == radio.tone.settings.controls)
        await expect(mute).to_have_attribute("aria-pressed", "false")
        await expect(tempo).to_have_value(f"{initial:g}")
        await take_screenshot(page, "controls")
        # After a change of the station, the panel waits for the values of the new one, and actions go to it.
        form = page.locator("#controls-form")
        await expect(form).to_have_js_property("inert", False)
        await page.route("**/api/stations/other/events*", hold)
        await page.keyboard.press("ArrowRight")
        await until(lambda: radio.channels["other"].listeners == 1)
        await expect(form).to_have_js_property("inert", True)
        async with page.expect_request("**/api/stations/other/skip"):
            await page.get_by_role("button", name="Next track").click()
        await connections[-1].continue_()
        await expect(form).to_have_js_property("inert", False)


async def test_the_panel_shows_controls_of_every_kind(open_page: OpenPage) -> None:
    """Controls that the page does not know appear as the API describes them, in the section of their group."""
    common: dict[str, object] = {"lands": "mix", "unit": "", "allowed": ""}
    controls: dict[str, dict[str, object]] = {
        "tape_hiss": {"kind": "float", "low": -60, "high": 0, "value": -40.0, "default": -30.0, "unit": "dB",
                      "group": "effects", "help": "level of the hiss"},
        "voices": {"kind": "int", "low": 1, "high": 4, "value": 2, "default": 2, "group": "effects", "help": ""},
        "mono": {"kind": "bool", "value": False, "default": False, "group": "effects", "help": "sum to mono"},
        "scale": {"kind": "choice", "choices": ["any", "blues"], "value": "any", "default": "any", "help": ""},
        "choir_level": {"kind": "float", "low": -60, "high": 12, "value": 0.0, "default": 0.0, "help": ""},
        "choir_mute": {"kind": "bool", "value": False, "default": False, "help": ""},
    }  # fmt: skip
    changes: list[dict[str, object]] = []

    async def answer(route: Route) -> None:
        values = json.loads(route.request.post_data or "")
        changes.append(values)
        landings = {name: {"value": value, "bar": 1, "frame": 0} for name, value in values.items()}
        await route.fulfill(json={"controls": landings, "live": 0, "sample_rate": SAMPLE_RATE})

    async with on_air() as radio:
        async with radio.http.get(f"{radio.root}/api/stations/tone") as response:
            station = await response.json()
        station["controls"] = {name: common | control for name, control in controls.items()}
        page = await open_page("about:blank")
        event = f"retry: 60000\nevent: now\ndata: {json.dumps(station)}\n\n"
        await page.route(
            "**/api/stations/tone/events*", lambda route: route.fulfill(content_type="text/event-stream", body=event)
        )
        await page.route("**/api/stations/tone/controls", answer)
        await page.goto(radio.root)
        await page.locator("#controls > summary").click()
        effects = page.get_by_role("group", name="Effects")
        hiss = effects.get_by_role("slider", name="Tape hiss")
        await expect(hiss).to_have_attribute("aria-valuetext", "-40 dB")
        await expect(hiss).to_have_attribute("aria-description", "Level of the hiss")
        await expect(effects.get_by_role("slider", name="Voices")).to_have_value("2")
        await effects.get_by_role("button", name="Reset Tape hiss").click()
        await expect(hiss).to_have_value("-30")
        await effects.get_by_role("checkbox", name="Mono").click()
        await page.get_by_role("group", name="Music").get_by_role("combobox", name="Scale").select_option(label="Blues")
        layers = page.get_by_role("group", name="Layers")
        await expect(layers.get_by_role("slider", name="Choir level")).to_have_value("0")
        await layers.get_by_role("button", name="Mute choir").click()
        await until(lambda: len(changes) == 4)
        assert changes == [{"tape_hiss": -30}, {"mono": True}, {"scale": "blues"}, {"choir_mute": True}]
        await page.get_by_role("button", name="Reset all").click()
        await until(lambda: changes[4:] == [{"mono": False, "scale": "any", "choir_mute": False}])


@pytest.mark.slow
async def test_a_control_change_reconnects_with_low_latency(open_page: OpenPage) -> None:
    async with on_air() as radio:
        await until(lambda: radio.tone.edge.live > 8 * SAMPLE_RATE)  # enough for a full burst
        page = await open_page(radio.root)
        await press_play(page)
        await page.locator("#controls > summary").click()
        await page.get_by_role("button", name="Mute keys").click()
        await until_page(
            page, "new URL(playerAudio.src).searchParams.get('burst') === '2' && playerAudio.currentTime > 0"
        )
        await expect(page.locator("#controls-status")).to_have_text(
            re.compile(r"Keys mute: takes effect (now|in \d s)\.")
        )
        await until(lambda: radio.tone.listeners == 1)


async def test_the_token_dialog_opens_until_the_token_is_valid(open_page: OpenPage) -> None:
    async with on_air(authorization=Authorization(control=True, token="evening")) as radio:
        page = await open_page(radio.root)
        await page.locator("#controls > summary").click()
        rain = page.get_by_role("button", name="Mute rain")
        muted = radio.tone.controls.rain_mute
        for token in ("wrong", "evening"):
            if token == "wrong":
                await rain.click()
            await page.get_by_role("textbox", name="Control token").fill(token)
            await page.get_by_role("button", name="Continue").click()
        await until(lambda: radio.tone.controls.rain_mute != muted)
        await rain.click()
        await until(lambda: radio.tone.controls.rain_mute == muted)
        await expect(page.locator("#token")).not_to_be_visible()
    async with on_air(authorization=Authorization(control=False, token=None)) as radio:
        page = await open_page(radio.root)
        await expect(page.locator(".card")).to_have_count(1)
        await expect(page.locator("#controls")).to_be_hidden()
        await expect(page.locator("#make")).to_be_hidden()


async def test_a_page_without_storage_keeps_the_token(open_page: OpenPage) -> None:
    """Browsers may refuse storage to a page in a frame of another site."""
    async with on_air(authorization=Authorization(control=True, token="evening")) as radio:
        page = await open_page("about:blank")
        await page.add_init_script(
            "for (const name of ['localStorage', 'sessionStorage'])"
            " Object.defineProperty(window, name, { get() { throw new DOMException('', 'SecurityError'); } });"
        )
        await page.goto(radio.root)
        await page.locator("#controls > summary").click()
        rain = page.get_by_role("button", name="Mute rain")
        muted = radio.tone.controls.rain_mute
        await rain.click()
        await page.get_by_role("textbox", name="Control token").fill("evening")
        await page.get_by_role("button", name="Continue").click()
        await until(lambda: radio.tone.controls.rain_mute != muted)
        await rain.click()
        await until(lambda: radio.tone.controls.rain_mute == muted)


async def test_a_station_starts_from_a_midi_file_chosen_on_the_page(open_page: OpenPage, tmp_path: Path) -> None:
    song(tmp_path / "song.mid", tempo=72)
    async with on_air() as radio:
        page = await open_page(radio.root)
        await page.locator("#prime > summary").click()
        status = page.locator("#prime-status")
        await page.get_by_label("MIDI file or recording").set_input_files(tmp_path / "song.mid")
        await page.get_by_role("button", name="Start from this file").click()
        await expect(status).to_contain_text("Found 72 BPM, C, Dm7 – G7")
        await until(lambda: any(change.prime for change in radio.tone.runs[-1].changes))
        await until(lambda: radio.tone.runs[-1].changes[-1].action == "skip")
        part = page.get_by_role("textbox", name="Keyboard part")
        await part.fill("track Flute")
        await page.get_by_label("Begin immediately").uncheck()
        await page.get_by_role("button", name="Start from this file").click()
        await until(lambda: sum(change.prime is not None for change in radio.tone.runs[-1].changes) == 2)
        keys, flute = (
            [note.note for note in from_json(to_builtins(change.prime)).passage.notes]
            for change in radio.tone.runs[-1].changes
            if change.prime is not None
        )
        assert min(flute) > max(keys)


MICROPHONE = """(notes) => {
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext();
    const voice = new OscillatorNode(context);
    const out = new MediaStreamAudioDestinationNode(context);
    notes.forEach((note, place) => {
      voice.frequency.setValueAtTime(440 * 2 ** ((note - 69) / 12), context.currentTime + place / 2);
    });
    voice.connect(out);
    voice.start();
    await context.resume();
    return out.stream;
  };
}"""
"""A fake microphone that records a whistled note every half second."""


@pytest.mark.slow
@needs_network
async def test_a_station_starts_from_a_melody_recorded_with_the_microphone(open_page: OpenPage) -> None:
    async with on_air() as radio:
        page = await open_page(radio.root)
        await page.evaluate(MICROPHONE, [67, 64, 67, 72, 69, 65, 62, 65] * 8)
        await page.locator("#prime > summary").click()
        status = page.locator("#prime-status")
        await page.get_by_role("button", name="Hum a melody").click()
        await expect(status).to_have_text(re.compile(r"Recording: (8|9|1\d) of 60 s"))
        await page.get_by_role("button", name="Stop and use it").click()
        await expect(status).to_contain_text("The next 3 tracks start from it.")
        await until(lambda: any(change.prime for change in radio.tone.runs[-1].changes))
        await expect(page.get_by_role("button", name="Hum a melody")).to_be_enabled()


async def test_a_page_without_a_microphone_says_so(open_page: OpenPage) -> None:
    async with on_air() as radio:
        page = await open_page(radio.root)
        await page.locator("#prime > summary").click()
        status, button = page.locator("#prime-status"), page.get_by_role("button", name="Hum a melody")
        for name, message in (
            ("NotAllowedError", "The page may not use the microphone. Allow it"),
            ("NotFoundError", "There is no microphone."),
        ):
            await page.evaluate(
                "name => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', name); }; }",
                name,
            )
            await button.click()
            await expect(status).to_contain_text(message)
            await expect(button).to_be_enabled()
        # A browser that cannot record closes the microphone again.
        await page.evaluate(MICROPHONE, [60])
        await page.evaluate("""() => {
          const open = navigator.mediaDevices.getUserMedia;
          navigator.mediaDevices.getUserMedia = async () => (window.microphone = await open());
          window.MediaRecorder = class { constructor() { throw new DOMException("no codec", "NotSupportedError"); } };
        }""")
        await button.click()
        await expect(status).to_contain_text("no codec")
        assert await page.evaluate("microphone.getTracks().map((track) => track.readyState)") == ["ended"]
        assert not radio.tone.runs[-1].changes
