"""The sound card: real PortAudio and real ALSA, whose `file` device keeps what it is given."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from radio.errors import AudioError
from radio.playback.sound_card import SoundCardInfo, find_sound_card
from radio.types import SAMPLE_RATE

CARD = """\
</usr/share/alsa/alsa.conf>
pcm.kept {{ type file slave.pcm "null" file "{kept}" format raw }}
pcm.!default {{ type plug slave {{ pcm "kept" format S16_LE }} }}
"""
PLAY = """\
from tests.conftest import ToneStation
from radio.settings.config import load
from radio.paths import STATIONS
from radio.playback.player import EventPlayed, Notice, Player
from radio.playback.sound_card import SoundCard, quiet_libraries
with quiet_libraries():
    sound_card = SoundCard()
    player = Player(sound_card, lambda settings: ToneStation({station}), frames={frames})
    player.start(load(STATIONS).stations["chill"])
    try:
        while player.playing:
            for message in player.messages(None):
                if isinstance(message, EventPlayed):
                    print(message.event.kind, flush=True)
                elif isinstance(message, Notice):
                    print(message.words, flush=True)
    finally:
        player.close()
        sound_card.close()
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
    code = "from radio.playback.sound_card import SoundCard\nfrom radio.errors import AudioError\n"
    code += "try:\n    SoundCard()\nexcept AudioError as error:\n    print(error)\n"
    result = python(code, PULSE_SERVER="")
    assert result.stdout.startswith("no sound card can be used")
    assert "radio serve" in result.stdout
    assert "--output -" in result.stdout
    assert result.stderr == ""


def test_a_card_that_goes_away_is_waited_for(card: Path) -> None:
    code = """\
import sounddevice
from radio.playback import player
player._REOPEN_DELAYS = (0.01,)
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


CARDS = [
    SoundCardInfo(0, "HDA Intel: ALC257", False),
    SoundCardInfo(3, "USB Audio 3", False),
    SoundCardInfo(7, "default", True),
]


@pytest.mark.parametrize(
    ("device", "number"), [("0", 0), ("7", 7), ("default", 7), ("USB", 3), ("alc", 0), ("usb audio 3", 3), ("3", 3)]
)
def test_a_card_is_found_by_its_number_or_by_words_of_its_name(device: str, number: int) -> None:
    assert find_sound_card(device, CARDS).number == number


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ("1", "there is no sound card '1'. Sound cards: 0 HDA Intel: ALC257; 3 USB Audio 3; 7 default"),
        ("defualt", "there is no sound card 'defualt'. Did you mean 'default'? Sound cards: 0 "),
        ("a", "'a' may be several sound cards: say which by its number (0 HDA"),
    ],
)
def test_a_card_that_is_none_or_several_is_refused_with_what_there_is(device: str, words: str) -> None:
    with pytest.raises(AudioError, match=re.escape(words)):
        find_sound_card(device, CARDS)


def test_where_there_is_no_card_at_all_that_is_said() -> None:
    with pytest.raises(AudioError, match=re.escape("there is no sound card 'usb'. Sound cards: none")):
        find_sound_card("usb", [])
