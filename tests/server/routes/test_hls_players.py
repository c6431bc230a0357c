"""Real players on segments of four seconds: ffmpeg, Chromium's player, Media Source Extensions."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from playwright.async_api import Page, async_playwright

from radio.server.routes.hls import TRACKS
from radio.types import SAMPLE_RATE, Format
from tests.ports import free_port
from tests.server.killable_server import killable_server
from tests.server.nginx import nginx
from tests.server.on_air import OnAir, on_air
from tests.server.test_clients import assert_tone, make_writable, run
from tests.stream.m3u8_reader import Player

pytestmark = pytest.mark.slow

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--autoplay-policy=no-user-gesture-required"]
FORMATS: tuple[Format, ...] = ("aac", "opus")


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Page]:
    async with async_playwright() as browsers:
        browser = await browsers.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield await browser.new_page()
        await browser.close()


async def check_ten_segments(radio: OnAir, name: Format) -> None:
    """Follow the playlist as a player does, until ten segments are known."""
    player, address = Player(), f"{radio.root}/tone/hls/{name}/index.m3u8"
    async with asyncio.timeout(90):
        while len(player.known) < 10:
            async with radio.http.get(address) as response:
                assert response.status == 200
                player.reload(await response.text())
            await asyncio.sleep(1)
    numbers = sorted(player.known)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    ten = [player.known[number].seconds for number in numbers[:10]]
    assert abs(sum(ten) - 40) <= TRACKS[name].packet / SAMPLE_RATE
    assert [player.known[number].tagged for number in numbers] == [True] + [False] * (len(numbers) - 1)


async def ffmpeg(address: str, seconds: int, *options: str) -> tuple[Any, str]:
    """Return the audio that ffmpeg decodes, shape (frames, 2), and its errors.

    It warns about every initialization segment after the first.
    """
    arguments = ("-nostdin", "-v", "error", *options, "-i", address, "-t", str(seconds), "-f", "f32le", "-")
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec("ffmpeg", *arguments, stdout=pipe, stderr=pipe)
    out, errors = await asyncio.wait_for(program.communicate(), 180)
    return np.frombuffer(out, dtype="<f4").reshape(-1, 2), errors.decode()


async def check_thirty_seconds(address: str) -> None:
    """Check that ffmpeg reports no error, and that every hundredth of a second has the tone."""
    sound, errors = await ffmpeg(address, 30)
    assert errors == ""
    assert len(sound) == 30 * SAMPLE_RATE
    loudness = np.sqrt(np.mean(sound[SAMPLE_RATE // 10 :].reshape(-1, 480, 2) ** 2, axis=1))
    assert loudness.min() > 0.15
    assert loudness.max() < 0.2
    spectrum = np.abs(np.fft.rfft(sound[SAMPLE_RATE : 11 * SAMPLE_RATE], axis=0))
    assert list(np.argmax(spectrum, axis=0)) == [4_400, 8_800]


async def test_ten_segments_last_forty_seconds_and_ffmpeg_decodes_them_seamlessly() -> None:
    async with on_air() as radio:
        await asyncio.gather(
            *(check_ten_segments(radio, name) for name in FORMATS),
            check_thirty_seconds(f"{radio.root}/tone/hls/index.m3u8"),
            check_thirty_seconds(f"{radio.root}/tone/hls/opus/index.m3u8"),
        )
        assert radio.tone.listeners == 2  # this program and ffmpeg


async def wait_until_played(page: Page, seconds: float, deadline: float = 60) -> None:
    """Return when the page has played `seconds` more."""
    begun: float = await page.evaluate("player.currentTime")
    async with asyncio.timeout(deadline):
        while (now := await page.evaluate("player.currentTime")) < begun + seconds:
            assert await page.evaluate("player.error && player.error.message") is None
            assert not await page.evaluate("player.ended")
            await asyncio.sleep(0.5)
    assert now > begun


async def play(page: Page, address: str) -> None:
    await page.set_content("<audio id=player></audio>")
    await page.evaluate("address => { player.src = address; return player.play(); }", address)


async def test_players_continue_when_the_server_restarts(tmp_path: Path) -> None:
    """The server is killed behind nginx, which serves the last playlist until there is a new one."""
    port = free_port()
    async with chromium() as page, nginx(tmp_path, port) as root:
        address = f"{root}/tone/hls/index.m3u8"
        async with killable_server(port):
            await play(page, address)
            await wait_until_played(page, 10)
            listening = asyncio.create_task(ffmpeg(address, 40, "-re"))
            await wait_until_played(page, 14)
        async with killable_server(port):
            # more than a player can have in its buffer
            await wait_until_played(page, 30, deadline=90)
            assert await page.evaluate("player.buffered.length") == 1
            sound, _ = await listening
    assert len(sound) == 40 * SAMPLE_RATE
    loudness = np.sqrt(np.mean(sound.reshape(-1, 4_800, 2) ** 2, axis=1)).min(axis=1)
    # a new encoder may fade in within a packet
    assert np.count_nonzero(loudness < 0.1) <= 2


async def test_segment_times_match_the_clock_after_a_suspension() -> None:
    """Server and worker are stopped for ten seconds, as on a sleeping laptop. The playlist recovers within a minute."""
    port, player = free_port(), Player()
    address = f"http://127.0.0.1:{port}/tone/hls/aac/index.m3u8"

    async def delay(http: aiohttp.ClientSession) -> float:
        """Return the seconds from the end of the playlist to now."""
        async with http.get(address) as response:
            entries = player.reload(await response.text()).entries
        place = max(place for place, entry in enumerate(entries) if entry.at is not None)
        return time.time() - (entries[place].at or 0) - sum(entry.seconds for entry in entries[place:])

    async with killable_server(port) as group, aiohttp.ClientSession() as http:
        for _ in range(10):
            assert await delay(http) < 6
            await asyncio.sleep(1)
        os.killpg(group, signal.SIGSTOP)
        await asyncio.sleep(10)
        os.killpg(group, signal.SIGCONT)
        for _ in range(60):
            now = await delay(http)
            if now < 6:
                break
            await asyncio.sleep(1)
        assert -0.5 < now < 6
    numbers = sorted(player.known)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    # There is a discontinuity only if the live edge has not caught up with the clock.
    assert sum(player.known[number].tagged for number in numbers) <= 2


MSE = Path(__file__).with_name("mse_player.js")


@pytest.mark.parametrize("name", FORMATS)
async def test_segments_join_without_a_gap_in_media_source_extensions(name: Format) -> None:
    """As in hls.js, segments are appended at their own times. The buffer is one range."""
    async with on_air() as radio, chromium() as page:
        await page.set_content("<audio id=player></audio>")
        await page.add_script_tag(content=MSE.read_text())
        kind = f'audio/mp4; codecs="{TRACKS[name].codec}"'
        address = f"{radio.root}/tone/hls/{name}/index.m3u8"
        state: dict[str, Any] = await page.evaluate("([...all]) => follow(...all)", [address, kind, 4])
        assert state["segments"] == 4
        (piece,) = state["buffered"]
        assert abs(piece[1] - piece[0] - state["seconds"]) < 0.001
        await wait_until_played(page, 5)


@pytest.mark.parametrize("address", ["index.m3u8", "opus/index.m3u8"])
async def test_mpv_and_vlc_play_hls(address: str, tmp_path: Path) -> None:
    async with on_air() as radio:
        address = f"{radio.root}/tone/hls/{address}"
        mpv, vlc = tmp_path / "mpv.wav", tmp_path / "vlc.wav"
        output = [
            "--no-config",
            "--audio-format=s16",
            "--no-video",
            "--ao=pcm",
            f"--ao-pcm-file={mpv}",
            "--length=10",
            "--really-quiet",
        ]
        # VLC does not play for root.
        user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        make_writable(tmp_path)
        sink = f"#transcode{{acodec=s16l,channels=2,samplerate=48000}}:std{{access=file,mux=wav,dst={vlc}}}"
        options = ["-I", "dummy", "--no-video", "--sout", sink, "--run-time=14", "--play-and-exit"]
        await asyncio.gather(
            run("mpv", *output, address),
            run(*user, "env", f"HOME={tmp_path}", "cvlc", *options, address, "vlc://quit"),
        )
    assert_tone(mpv, 9.5)
    assert_tone(vlc, 8)
