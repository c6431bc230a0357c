"""Pushes to real servers: they receive the station, and their failures affect nothing else."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import psutil
import pytest

from radio.push.status import PushStatus
from radio.server.broadcast.pushes import PUSHES
from radio.settings.push import PushSettings
from radio.settings.push_target import Key, parse
from radio.types import SAMPLE_RATE
from tests.ports import free_port
from tests.push.servers import KEY, Program, Relay, certificate, eventually, icecast, nginx, silent_server
from tests.server.on_air import OnAir, ffmpeg, on_air
from tests.server.tone_worker import settings
from tests.stream.ogg_reader import check_one_stream

SMALL: dict[str, Any] = {"size": (320, 240), "fps": 15, "video_bitrate": 300}


def rtmp(port: int, app: str = "live", **changes: object) -> PushSettings:
    return replace(PushSettings(parse(f"rtmp://127.0.0.1:{port}/{app}"), Key(value=KEY), **SMALL), **changes)  # type: ignore[arg-type]


def mount(port: int, name: str, format_: str = "opus", key: str = KEY) -> PushSettings:
    return PushSettings(parse(f"icecast://127.0.0.1:{port}/{name}"), Key(value=key), format=format_)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def pushed(*pushes: PushSettings) -> AsyncIterator[tuple[OnAir, tuple[PushStatus, ...]]]:
    async with on_air(settings(push=pushes)) as radio:
        yield radio, radio.app[PUSHES].statuses("tone")


def recordings(server: Program) -> list[Path]:
    return sorted(server.folder.glob("*.flv"), key=lambda path: path.stat().st_ctime_ns)


def decoded(path: Path) -> npt.NDArray[np.float32]:
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def is_the_tone(sound: npt.NDArray[np.float32]) -> bool:
    """Return whether the sound is 440 Hz on the left and 880 Hz on the right without silence."""
    peaks = [int(np.argmax(np.abs(np.fft.rfft(side[-SAMPLE_RATE:])))) for side in sound]
    blocks = sound[0, 4_800 : len(sound[0]) // 4_800 * 4_800].reshape(-1, 4_800)
    return peaks == [440, 880] and float(np.sqrt((blocks**2).mean(axis=1)).min()) > 0.1


def ffprobe(path: Path) -> dict[str, list[dict[str, str]]]:
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_packets", str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)  # type: ignore[no-any-return]


def command_lines() -> str:
    """Return the command lines of all processes, as `ps` shows them."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(path.read_bytes().decode(errors="replace"))
    return "\n".join(lines)


def assert_hidden(*texts: str) -> None:
    login = base64.b64encode(f"source:{KEY}".encode()).decode()
    for text in (*texts, command_lines()):
        assert KEY not in text
        assert login not in text


@pytest.mark.usefixtures("started_programs")  # `encoders` reads their command lines
async def test_an_rtmp_server_receives_video_and_audio(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("DEBUG", "radio")
    monkeypatch.setenv("A_STREAM_KEY", KEY)
    with nginx() as server:
        async with pushed(rtmp(server.port, key=Key(env="A_STREAM_KEY"))) as (radio, (status,)):
            await eventually(lambda: status.sent > 250_000, "six seconds of stream")
            assert (status.state, status.attempts, status.connections, status.error) == ("connected", 1, 1, None)
            async with radio.http.get(f"{radio.root}/api/stations/tone") as response:
                assert_hidden(caplog.text, await response.text(), json.dumps(status.as_json()), repr(status))
            (encoder,) = encoders()
            assert KEY not in str(psutil.Process(encoder).environ())
        assert status.state == "ended"
        (file,) = recordings(server)
        probe = ffprobe(file)
        codecs = {stream["codec_name"]: stream for stream in probe["streams"]}
        assert set(codecs) == {"h264", "aac"}
        assert (codecs["h264"]["width"], codecs["h264"]["height"]) == (320, 240)
        assert (codecs["aac"]["sample_rate"], codecs["aac"]["channels"]) == ("48000", 2)
        packets = [packet for packet in probe["packets"] if packet["codec_type"] == "video"]
        keys = [float(packet["pts_time"]) for packet in packets if "K" in packet["flags"]]
        assert len(keys) >= 3
        assert np.allclose(np.diff(keys), 2.0, atol=0.01)
        assert is_the_tone(decoded(file))
        assert KEY in server.log()  # the key was sent, so its absence elsewhere is due to hiding


@pytest.mark.slow
async def test_the_picture_shows_the_title_of_the_current_track() -> None:
    """The tone's first two tracks are eight seconds long, and the picture changes when the second one starts."""
    with nginx() as server:
        async with pushed(rtmp(server.port)) as (radio, (status,)):
            await eventually(lambda: len(radio.tone.now_playing.tracks) > 1, "the second track")
            sent_before = status.sent
            await eventually(lambda: status.sent > sent_before + 120_000, "two seconds more")
        with av.open(str(recordings(server)[0])) as container:
            frames = [
                frame.to_ndarray(format="gray")[165:185, 20:150].astype(int) for frame in container.decode(video=0)
            ]
    assert np.abs(frames[20] - frames[60]).max() < 60
    assert np.abs(frames[20] - frames[-5]).max() > 100


@pytest.mark.parametrize("format_", ["opus", "mp3"])
async def test_icecast_receives_the_packets_of_the_station(format_: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "radio")
    with icecast() as server:
        async with pushed(mount(server.port, f"tone.{format_}", format_)) as (radio, (status,)):
            await eventually(lambda: status.state == "connected", "the connection")
            out = await ffmpeg(
                "-t",
                "3",
                "-i",
                f"http://127.0.0.1:{server.port}/tone.{format_}",
                "-f",
                "f32le",
                "-c:a",
                "pcm_f32le",
                "-",
            )
            sound = np.frombuffer(out, "<f4").reshape(-1, 2).T
            assert is_the_tone(sound)
            async with radio.http.get(f"http://127.0.0.1:{server.port}/status-json.xsl") as response:
                source = json.loads(await response.text())["icestats"]["source"]
            assert source["server_name"] == "Station tone"
            assert source["server_description"] == "a tone"
            if format_ == "mp3":
                assert source["title"].startswith("Station tone - Tone 1")
            assert_hidden(caplog.text, json.dumps(status.as_json()))
        assert_hidden(caplog.text)


async def test_a_wrong_key_is_reported_and_retried(caplog: pytest.LogCaptureFixture) -> None:
    wrong = "s3cret-but-wrong"
    with nginx() as server, icecast() as cast:
        async with pushed(rtmp(server.port, "closed"), mount(cast.port, "x", key=wrong)) as (_, (first, second)):
            await eventually(lambda: first.attempts > 2 and second.attempts > 2, "three attempts")
            assert first.state == second.state == "reconnecting"
            assert first.connections == second.connections == 0
            assert "is the key right" in (first.error or "")
            assert "wrong user or password (401)" in (second.error or "")
    assert_hidden(caplog.text)
    assert wrong not in caplog.text
    assert "trying again in" in caplog.text


async def test_an_unknown_application_is_reported() -> None:
    with nginx() as server:
        async with pushed(rtmp(server.port, "nosuch")) as (_, (status,)):
            await eventually(lambda: status.error, "the rejection")
    assert "is the address right" in (status.error or "")


async def test_unreachable_servers_do_not_delay_the_station() -> None:
    port = free_port()
    async with silent_server() as silent_port:
        pushes = (rtmp(port), mount(port, "x"), rtmp(silent_port), mount(silent_port, "x"))
        async with pushed(*pushes) as (radio, statuses):
            async with radio.http.get(f"{radio.root}/tone.opus?burst=0") as response:
                body = await response.content.readexactly(40_000)
            assert statuses[0].attempts > 1
            assert all(status.state != "connected" for status in statuses)
            assert "cannot be reached: " in (statuses[0].error or "")
            assert "cannot be reached: " in (statuses[1].error or "")
            assert radio.tone.restarts == 0
    check_one_stream(body[: body.rindex(b"OggS")])


@pytest.mark.slow
async def test_a_server_that_stops_reading_is_reconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radio.push.retry.STALL_TIMEOUT", 5.0)
    with nginx() as server:
        async with Relay(server.port).running() as relay, pushed(rtmp(relay.port)) as (_, (status,)):
            await eventually(lambda: status.sent > 50_000, "a stream")
            relay.pause()
            await eventually(lambda: status.error, "the stall")
            assert "the server has acknowledged nothing for 5 s" in (status.error or "")
            relay.resume()
            await eventually(lambda: status.connections > 1 and status.state == "connected", "another connection")


@pytest.mark.slow
async def test_a_planned_restart_loses_no_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radio.push.destinations.HOUR", 10.0)  # so that the shortest setting is one second
    with nginx() as server:
        async with pushed(rtmp(server.port, restart_hours=0.1)) as (_, (status,)):
            started = time.monotonic()
            await eventually(lambda: len(recordings(server)) > 2, "the third stream")
            assert time.monotonic() - started > 3
            assert status.error is None
            assert status.attempts == 1
        first, second = (decoded(path) for path in recordings(server)[:2])
    assert is_the_tone(first)
    assert is_the_tone(second)
    seconds = len(first[0]) / SAMPLE_RATE
    assert seconds > 1.8
    assert abs(seconds - 2 * round(seconds / 2)) < 0.2  # from one key frame to the next
    # The phase of the tone at the start of the second stream continues that at the end of the first one.
    phases = [
        float(np.angle(np.fft.rfft(sound[0, cut])[44]))
        for sound, cut in ((first, slice(-4_800, None)), (second, slice(0, 4_800)))
    ]
    assert abs(np.angle(np.exp(1j * (phases[0] - phases[1])))) < 0.5


@pytest.mark.slow
async def test_rtmps_trusts_the_systems_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cert, tls = certificate(tmp_path)
    with nginx() as server:
        async with Relay(server.port, tls).running() as relay:
            to = replace(rtmp(relay.port), to=parse(f"rtmps://localhost:{relay.port}/live"))
            async with pushed(to) as (_, (status,)):
                await eventually(lambda: status.error, "the rejection")
                assert "cannot be trusted: self-signed certificate" in (status.error or "")
            assert not recordings(server)
            monkeypatch.setenv("SSL_CERT_FILE", str(cert))
            async with pushed(to) as (_, (status,)):
                await eventually(lambda: status.sent > 150_000, "a stream")
        assert is_the_tone(decoded(recordings(server)[0]))


@pytest.mark.usefixtures("started_programs")
@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGSTOP, marks=pytest.mark.slow)])
async def test_an_encoder_that_dies_or_hangs_is_replaced(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    if number is signal.SIGSTOP:
        monkeypatch.setattr("radio.push.retry.STALL_TIMEOUT", 6.0)
    with nginx() as server:
        async with pushed(rtmp(server.port)) as (_, (status,)):
            await eventually(lambda: status.sent > 50_000, "a stream")
            (encoder,) = encoders()
            os.kill(encoder, number)
            await eventually(lambda: status.connections > 1 and status.state == "connected", "another encoder")
            assert status.error == (
                "the encoder ended" if number is signal.SIGKILL else "the server has acknowledged nothing for 6 s"
            )
            assert encoder not in encoders()


def encoders() -> list[int]:
    """Return the process ids of the encoders that this process has started."""
    return [child.pid for child in psutil.Process().children() if "radio.push.video.encoder" in child.cmdline()]


async def test_an_unreadable_image_is_reported_and_the_station_continues(tmp_path: Path) -> None:
    image = tmp_path / "image.png"
    image.write_text("no image")
    with nginx() as server:
        async with on_air(settings(push=(rtmp(server.port),), image=image)) as radio:
            (status,) = radio.app[PUSHES].statuses("tone")
            await eventually(lambda: status.error, "the error")
            assert f"the image {image} cannot be read" in (status.error or "")
            assert radio.tone.restarts == 0


@pytest.mark.slow
async def test_ffmpegs_rtmp_server_accepts_the_stream(tmp_path: Path) -> None:
    port, file = free_port(), tmp_path / "got.flv"
    source = ["-listen", "1", "-i", f"rtmp://127.0.0.1:{port}/live/{KEY}"]
    receiving = asyncio.create_task(ffmpeg(*source, "-t", "4", "-c", "copy", str(file)))
    async with pushed(rtmp(port)) as (_, (status,)):
        await receiving
    assert status.connections == 1
    assert is_the_tone(decoded(file))


@pytest.mark.slow
async def test_restarted_servers_are_reconnected_without_a_gap_for_listeners() -> None:
    with nginx() as server, icecast() as cast:
        async with pushed(rtmp(server.port), mount(cast.port, "x")) as (radio, statuses):
            listening = asyncio.create_task(listen(radio, 45))
            await eventually(lambda: all(status.sent > 50_000 for status in statuses), "both streams")
            server.kill()
            cast.kill()
            await eventually(lambda: all(status.state == "reconnecting" for status in statuses), "the reconnection")
            await eventually(lambda: all(status.attempts > 4 for status in statuses), "some attempts")
            sent_before, recordings_before = [status.sent for status in statuses], len(recordings(server))
            server.start()
            cast.start()
            restarted = time.monotonic()
            await eventually(
                lambda: all(status.sent > sent for status, sent in zip(statuses, sent_before, strict=True)),
                "both streams",
                65,
            )
            await eventually(lambda: len(recordings(server)) > recordings_before, "a new recording", 65)
            assert time.monotonic() - restarted < 65
            out = await ffmpeg(
                "-t", "2", "-i", f"http://127.0.0.1:{cast.port}/x", "-f", "f32le", "-c:a", "pcm_f32le", "-"
            )
            assert is_the_tone(np.frombuffer(out, "<f4").reshape(-1, 2).T)
            body = await listening
            assert radio.tone.restarts == 0
    check_one_stream(body[: body.rindex(b"OggS")])
    with av.open(io.BytesIO(body)) as container:
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    left = sound.reshape(-1, 2).T if sound.shape[0] == 1 else sound
    assert is_the_tone(left)


async def listen(radio: OnAir, seconds: float) -> bytes:
    """Return the bytes that an HTTP listener receives in `seconds`."""
    data, end = bytearray(), time.monotonic() + seconds
    async with radio.http.get(f"{radio.root}/tone.opus") as response:
        while time.monotonic() < end:
            data += await response.content.readany()
    return bytes(data)


@pytest.mark.slow
async def test_a_silent_server_is_reconnected_after_ten_seconds() -> None:
    with nginx() as server:
        async with Relay(server.port).running() as relay, pushed(rtmp(relay.port)) as (_, (status,)):
            await eventually(lambda: status.sent > 50_000, "a stream")
            relay.pause()
            paused = time.monotonic()
            await eventually(lambda: status.error, "the stall")
            assert 9 < time.monotonic() - paused < 16
