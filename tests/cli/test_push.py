"""`radio push` as it is typed: it asks for the key, plays the station to the server, and ends when it is told to."""

from __future__ import annotations

import os

import pytest

from tests.playback.pulseaudio import wait_for
from tests.push.servers import KEY, nginx
from tests.push.test_servers import assert_hidden, ffprobe, recordings
from tests.terminal.pty_radio import PtyRadio


@pytest.mark.slow
def test_the_command_asks_for_the_key_and_plays_to_the_server() -> None:
    with nginx() as server:
        address = f"rtmp://127.0.0.1:{server.port}/live"
        options = ("--size", "320x240", "--fps", "15", "--video-bitrate", "300")
        with PtyRadio("push", "--station", "chill", *options, address, environment=dict(os.environ)) as radio:
            wait_for(lambda: "Stream key or password:" in radio.text, "the question")
            radio.press(f"{KEY}\n")
            wait_for(lambda: any(path.stat().st_size > 200_000 for path in recordings(server)), "a stream", 90)
            assert f"Pushing Chill to {address}" in radio.text
            assert "connected" in radio.text
            assert_hidden(radio.text)  # it was not echoed either
            radio.press("\x03")
            assert radio.wait() == 0
            assert "Traceback" not in radio.text
        found = ffprobe(recordings(server)[0])
    assert {each["codec_name"] for each in found["streams"]} == {"h264", "aac"}
