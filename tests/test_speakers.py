"""The sound card: real PortAudio and real ALSA, whose `file` device keeps what it is given."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from radio.types import SAMPLE_RATE

CARD = """\
</usr/share/alsa/alsa.conf>
pcm.kept {{ type file slave.pcm "null" file "{kept}" format raw }}
pcm.!default {{ type plug slave {{ pcm "kept" format S16_LE }} }}
"""
PULSE = """\
</usr/share/alsa/alsa.conf>
pcm.!default { type pulse }
ctl.!default { type pulse }
"""
PLAY = """\
from tests.conftest import ToneStation
from radio.config import SHIPPED, load
from radio.player import Heard, Player, Said
from radio.speakers import Speakers, quiet_libraries
with quiet_libraries():
    speakers = Speakers()
    player = Player(speakers, lambda settings: ToneStation({station}), frames={frames})
    player.start(load(SHIPPED).stations["chill"])
    try:
        while player.playing:
            for message in player.messages(None):
                if isinstance(message, Heard):
                    print(message.event.kind, flush=True)
                elif isinstance(message, Said):
                    print(message.words, flush=True)
    finally:
        player.close()
        speakers.close()
"""


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own: PortAudio looks for cards once in a process's life."""
    return subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


def tone(frames: np.ndarray) -> np.ndarray:
    """What `ToneStation` plays, in 16 bits."""
    return 0.25 * 32_767 * np.sin(2 * np.pi * 440 / SAMPLE_RATE * frames)[:, None]


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """An ALSA config whose default card writes what it plays to the file `kept` beside it."""
    config = tmp_path / "asound.conf"
    config.write_text(CARD.format(kept=tmp_path / "kept"), encoding="utf-8")
    return config


def test_the_card_gets_all_of_it_and_only_it(card: Path) -> None:
    frames = SAMPLE_RATE * 3 // 2 + 17
    result = python(PLAY.format(station="", frames=frames), ALSA_CONFIG_PATH=str(card))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split() == ["track", "bar", "bar"]
    played = np.fromfile(card.parent / "kept", dtype="<i2").reshape(-1, 2)
    times = np.flatnonzero(np.abs(played[:, 0]) > 0)
    start = times[0] - 1  # the tone's first sample is 0
    assert np.abs(played[start : start + frames] - tone(np.arange(frames))).max() < 3
    assert not played[start + frames :].any()


def test_a_fault_of_the_station_is_raised_where_it_plays(card: Path) -> None:
    result = python(PLAY.format(station=f"fails_at={SAMPLE_RATE}", frames=None), ALSA_CONFIG_PATH=str(card))
    assert "ValueError: the tone broke off" in result.stderr


@pytest.mark.skipif(bool(list(Path("/dev").glob("snd/pcm*p"))), reason="this machine has a sound card")
def test_no_sound_card_is_said_with_what_to_do() -> None:
    code = "from radio.speakers import Speakers\nfrom radio.errors import AudioError\n"
    code += "try:\n    Speakers()\nexcept AudioError as error:\n    print(error)\n"
    result = python(code, PULSE_SERVER="")
    assert result.stdout.startswith("no sound card can be used")
    assert "radio serve" in result.stdout
    assert "--output -" in result.stdout
    assert result.stderr == ""


def test_a_card_that_goes_away_is_waited_for(card: Path) -> None:
    code = """\
import sounddevice
from radio import player
player._PATIENCE = (0.01,)
class Stream(sounddevice.OutputStream):
    written = 0
    broken = 0
    def write(self, block):
        Stream.written += 1
        if Stream.written == 25:
            raise sounddevice.PortAudioError("Unanticipated host error", -9999)
        return super().write(block)
    def start(self):
        if Stream.written == 25 and Stream.broken < 2:
            Stream.broken += 1
            raise sounddevice.PortAudioError("Device unavailable", -9985)
        return super().start()
sounddevice.OutputStream = Stream
"""
    result = python(code + PLAY.format(station="", frames=SAMPLE_RATE), ALSA_CONFIG_PATH=str(card))
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("The sound card") == 2
    assert "does not play any more (Unanticipated host error" in result.stdout
    assert "The sound card is back." in result.stdout
    # The new card's file starts with the block that the old one refused: nothing is lost, nothing is played twice.
    played = np.fromfile(card.parent / "kept", dtype="<i2").reshape(-1, 2)
    assert len(played) >= 26 * 960
    assert np.abs(played[: 26 * 960] - tone(np.arange(24 * 960, SAMPLE_RATE))).max() < 3


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts PulseAudio with one sink that plays nowhere, at the pace of a real card."""
    if shutil.which("pulseaudio") is None or not list(
        Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")
    ):
        pytest.skip("pulseaudio or libasound2-plugins is not installed")
    (tmp_path / "asound.conf").write_text(PULSE, encoding="utf-8")
    socket = tmp_path / "socket"
    modules = ["module-null-sink sink_name=quiet", f"module-native-protocol-unix socket={socket} auth-anonymous=1"]
    command = ["pulseaudio", "-n", "--exit-idle-time=-1", "--daemonize=no", "--use-pid-file=no"]
    command += [word for module in modules for word in ("-L", module)]
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        socket.unlink(missing_ok=True)
        home = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
        started.append(
            subprocess.Popen(command, env={**os.environ, **home}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
        wait_for(socket.exists)
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


@pytest.mark.slow
def test_a_real_card_sets_the_pace_and_may_be_unplugged(
    tmp_path: Path, pulse: Callable[[], subprocess.Popen[bytes]]
) -> None:
    server = pulse()
    log = tmp_path / "log"
    environment = {"ALSA_CONFIG_PATH": str(tmp_path / "asound.conf"), "PULSE_SERVER": f"unix:{tmp_path / 'socket'}"}
    began = time.monotonic()
    with log.open("wb") as out:
        player = subprocess.Popen(
            [sys.executable, "-c", PLAY.format(station="", frames=6 * SAMPLE_RATE)],
            env={**os.environ, **environment},
            stdout=out,
            stderr=subprocess.DEVNULL,
        )
    try:
        wait_for(lambda: log.read_text().count("bar") >= 2)
        server.kill()
        server.wait()
        wait_for(lambda: "does not play any more" in log.read_text())
        pulse()
        wait_for(lambda: "is back" in log.read_text())
        assert player.wait(timeout=30) == 0
    finally:
        player.kill()
        player.wait()
    assert log.read_text().count("bar") == 6
    assert time.monotonic() - began > 5
