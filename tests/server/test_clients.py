"""Real players on every format, over real connections."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from radio.types import SAMPLE_RATE
from tests.server.on_air import OnAir, ffmpeg, on_air, until
from tests.stream.ogg_reader import check_one_stream

FORMATS = ("opus", "mp3", "aac")
CODECS = {"opus": "opus", "mp3": "mp3", "aac": "aac"}


async def run(*command: str, data: bytes | None = None) -> bytes:
    """Return the standard output of a program. Fails if the program is missing or fails."""
    assert shutil.which(command[0]), f"{command[0]} is missing: scripts/system-packages --tests installs it"
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(data), 180)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode == 0, err.decode()[-2_000:]
    return out


def assert_tone(path: Path, seconds: float) -> None:
    """Check for 440 Hz on the left, 880 Hz on the right, and no silence after the start."""
    # The `wave` module would fail: a stopped player leaves a wrong length in the header.
    data = path.read_bytes()
    pcm = data[data.index(b"data") + 8 :]
    sound = np.frombuffer(pcm[: len(pcm) // 4 * 4], dtype="<i2").reshape(-1, 2) / 32_768
    assert len(sound) >= seconds * SAMPLE_RATE
    second = sound[len(sound) // 2 :][:SAMPLE_RATE]
    for channel, hertz in ((0, 440), (1, 880)):
        spectrum = np.abs(np.fft.rfft(second[:, channel]))
        assert int(np.argmax(spectrum)) * SAMPLE_RATE / len(second) == pytest.approx(hertz, abs=2)
    loud = np.sqrt(np.mean(sound[4_800 : len(sound) // 480 * 480].reshape(-1, 480, 2) ** 2, axis=1))
    assert loud[:-10].min() > 0.1


async def wait_for_audio(radio: OnAir) -> None:
    await until(lambda: radio.tone.edge.live > 3 * SAMPLE_RATE)


@pytest.mark.parametrize("format_", FORMATS)
async def test_ffprobe_and_ffmpeg_read_every_format(format_: str, tmp_path: Path) -> None:
    async with on_air() as radio:
        await wait_for_audio(radio)
        address, path = f"{radio.root}/tone.{format_}", tmp_path / "audio.wav"
        probe = ["-v", "warning", "-show_streams", "-show_format", "-of", "json", "-analyzeduration", "1M", address]
        report = json.loads(await run("ffprobe", *probe))
        await ffmpeg("-i", address, "-t", "4", "-c:a", "pcm_s16le", str(path))
    (stream,) = report["streams"]
    assert (stream["codec_name"], stream["sample_rate"], stream["channels"]) == (CODECS[format_], "48000", 2)
    assert_tone(path, 4)


@pytest.mark.slow
@pytest.mark.parametrize("format_", FORMATS)
async def test_mpv_plays_every_format(format_: str, tmp_path: Path) -> None:
    async with on_air() as radio:
        await wait_for_audio(radio)
        path = tmp_path / "audio.wav"
        options = [
            "--no-config",
            "--no-video",
            "--audio-format=s16",
            "--ao=pcm",
            f"--ao-pcm-file={path}",
            "--length=4",
            "--really-quiet",
        ]
        await run("mpv", *options, f"{radio.root}/tone.{format_}")
    assert_tone(path, 3.5)


def make_writable(folder: Path) -> None:
    """Make a test's folder writable for every user."""
    folder.chmod(0o777)
    for parent in folder.parents[:2]:
        parent.chmod(parent.stat().st_mode | 0o055)


@pytest.mark.slow
@pytest.mark.parametrize("format_", FORMATS)
async def test_vlc_plays_every_format(format_: str, tmp_path: Path) -> None:
    async with on_air() as radio:
        await wait_for_audio(radio)
        path = tmp_path / "audio.wav"
        # VLC does not play for root.
        user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        make_writable(tmp_path)
        sink = f"#transcode{{acodec=s16l,channels=2,samplerate=48000}}:std{{access=file,mux=wav,dst={path}}}"
        options = ["-I", "dummy", "--no-video", "--sout", sink, "--run-time=6", "--play-and-exit"]
        await run(*user, "env", f"HOME={tmp_path}", "cvlc", *options, f"{radio.root}/tone.{format_}", "vlc://quit")
    assert_tone(path, 3)


async def curl(address: str, path: Path, *options: str, size: int) -> None:
    """Save a stream with curl until `size` bytes are written. Fail if the stream ends before."""
    assert shutil.which("curl"), "curl is missing: scripts/system-packages --tests installs it"
    command = ["curl", "--no-progress-meter", "--no-buffer", "--max-filesize", "100M", "--output", str(path), *options]
    process = await asyncio.create_subprocess_exec(*command, address, stdin=asyncio.subprocess.DEVNULL)
    try:
        await until(lambda: process.returncode is not None or (path.exists() and path.stat().st_size >= size))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    assert process.returncode == -signal.SIGTERM


async def test_curl_over_http_1_0_gets_raw_bytes(tmp_path: Path) -> None:
    async with on_air() as radio:
        await wait_for_audio(radio)

        async def download(format_: str) -> bytes:
            path = tmp_path / f"audio.{format_}"
            await curl(f"{radio.root}/tone.{format_}", path, "--http1.0", size=20_000)
            return path.read_bytes()

        starts = {"opus": b"OggS", "mp3": b"\xff\xfb", "aac": b"\xff\xf1"}
        for data, start in zip(await asyncio.gather(*map(download, starts)), starts.values(), strict=True):
            assert data.startswith(start)
        check_one_stream((tmp_path / "audio.opus").read_bytes())


async def test_curl_receives_titles(tmp_path: Path) -> None:
    async with on_air() as radio:
        await wait_for_audio(radio)
        path, head = tmp_path / "audio", tmp_path / "head"
        await curl(f"{radio.root}/tone.mp3", path, "-H", "Icy-MetaData: 1", "-D", str(head), size=17_000)
    assert "icy-metaint: 16000" in head.read_text().lower()
    data = path.read_bytes()
    assert data[16_001:].startswith(b"StreamTitle='Tone 1 of seed 1';")


@pytest.mark.slow
async def test_a_player_opens_a_stream_from_a_playlist(tmp_path: Path) -> None:
    async with on_air() as radio:
        await wait_for_audio(radio)
        for kind in ("m3u", "pls"):
            path = tmp_path / f"{kind}.wav"
            options = ["--no-config", "--no-video", "--ao=pcm", f"--ao-pcm-file={path}", "--length=3", "--really-quiet"]
            await run("mpv", *options, "--playlist-start=0", "--end=3", f"{radio.root}/tone.{kind}")
            assert path.stat().st_size > 2 * SAMPLE_RATE * 4
