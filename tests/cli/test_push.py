"""`radio push` asks for the key, streams the station to the server, and stops on a signal."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from radio.cli.main import main
from tests.playback.pulseaudio import wait_for
from tests.push.servers import KEY, nginx
from tests.push.test_servers import assert_hidden, ffprobe, recordings
from tests.terminal.pty_radio import PtyRadio


@pytest.mark.slow
def test_the_command_asks_for_the_key_and_streams_to_the_server() -> None:
    with nginx() as server:
        address = f"rtmp://127.0.0.1:{server.port}/live"
        options = ("--size", "320x240", "--fps", "15", "--video-bitrate", "300")
        with PtyRadio("push", "--station", "chill", *options, address, environment=dict(os.environ)) as radio:
            wait_for(lambda: "Stream key or password:" in radio.text, "the question")
            radio.press(f"{KEY}\n")
            wait_for(lambda: any(path.stat().st_size > 200_000 for path in recordings(server)), "a stream", 90)
            assert f"Pushing Chill to {address}" in radio.text
            assert "connected" in radio.text
            assert_hidden(radio.text)  # the key is not echoed either
            radio.press("\x03")
            assert radio.wait() == 0
            assert "Traceback" not in radio.text
        probe = ffprobe(recordings(server)[0])
    assert {stream["codec_name"] for stream in probe["streams"]} == {"h264", "aac"}


@pytest.mark.usefixtures("started_programs")
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_second_signal_ends_the_command_without_a_traceback(number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"rtmp://127.0.0.1:{server.getsockname()[1]}/live"
        command = [sys.executable, "-m", "radio", "push", "--station", "chill", "--key-env", "STREAM_KEY", address]
        environment = os.environ | {"STREAM_KEY": KEY}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as radio:
            assert radio.stdout is not None
            # The log is in the same output.
            assert any(line.startswith(b"Pushing Chill") for line in radio.stdout)
            radio.send_signal(number)
            time.sleep(0.02)  # the station's worker takes longer than this to stop
            radio.send_signal(number)
            output, _ = radio.communicate(timeout=90)
    assert b"Traceback" not in output
    assert b"Error" not in output


def test_a_file_that_is_not_an_image_is_refused_before_the_push(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = tmp_path / "movie.mp4"
    film.write_bytes(b"\0\0\0\x20ftypisom" + bytes(100))
    options = ["--station", "chill", "--key-env", "STREAM_KEY", "--image", str(film)]
    assert main(["push", *options, "rtmp://127.0.0.1:1/live"]) == 1
    error = capsys.readouterr().err
    assert f"the image {film} cannot be read" in error
    assert error.count("\n") == 1
