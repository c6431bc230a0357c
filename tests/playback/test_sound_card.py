"""The sound card with real PortAudio and ALSA, whose `file` device records the audio."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from radio.errors import AudioError
from radio.playback.sound_card import INITIAL_BUFFER, SoundCard, SoundCardInfo, find_sound_card, list_sound_cards
from radio.types import SAMPLE_RATE

CARD = """\
</usr/share/alsa/alsa.conf>
pcm.recorded {{ type file slave.pcm "null" file "{recorded}" format raw }}
pcm.!default {{ type plug slave {{ pcm "recorded" format S16_LE }} }}
"""
PLAY = """\
from tests.tone_station import ToneStation
from radio.settings.config import load
from radio.paths import STATIONS
from radio.playback.messages import EventPlayed, Notice
from radio.playback.player import Player
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
                    print(message.text, flush=True)
    finally:
        player.close()
        sound_card.close()
"""


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a new process, because PortAudio lists the devices once per process."""
    return subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
        env={**os.environ, **environment},
    )


def tone(frames: np.ndarray) -> np.ndarray:
    """Return the samples that `ToneStation` plays, as 16-bit values."""
    return 0.25 * 32_767 * np.sin(2 * np.pi * 440 / SAMPLE_RATE * frames)[:, None]


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """Return an ALSA config whose default card writes the audio to the file `recorded` next to it."""
    config = tmp_path / "asound.conf"
    config.write_text(CARD.format(recorded=tmp_path / "recorded"), encoding="utf-8")
    return config


def test_the_card_receives_exactly_the_frames_of_the_station(card: Path) -> None:
    frames = SAMPLE_RATE * 3 // 2 + 17
    result = python(PLAY.format(station="", frames=frames), ALSA_CONFIG_PATH=str(card))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split() == ["track", "bar", "bar"]
    played = np.fromfile(card.parent / "recorded", dtype="<i2").reshape(-1, 2)
    times = np.flatnonzero(np.abs(played[:, 0]) > 0)
    start = times[0] - 1  # the tone's first sample is 0
    assert np.abs(played[start : start + frames] - tone(np.arange(frames))).max() < 3
    assert not played[start + frames :].any()


def test_an_exception_in_the_station_is_raised_by_the_player(card: Path) -> None:
    result = python(PLAY.format(station=f"fails_at={SAMPLE_RATE}", frames=None), ALSA_CONFIG_PATH=str(card))
    assert "ValueError: the tone broke off" in result.stderr


@pytest.mark.skipif(bool(list(Path("/dev").glob("snd/pcm*p"))), reason="this machine has a sound card")
def test_a_missing_sound_card_is_reported_with_alternatives() -> None:
    code = "from radio.playback.sound_card import SoundCard\nfrom radio.errors import AudioError\n"
    code += "try:\n    SoundCard()\nexcept AudioError as error:\n    print(error)\n"
    result = python(code, PULSE_SERVER="")
    assert result.stdout.startswith("no sound card can be opened")
    assert "radio serve" in result.stdout
    assert "--output -" in result.stdout
    assert result.stderr == ""


def test_a_lost_card_is_reopened(card: Path) -> None:
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
    assert "stopped (Unanticipated host error" in result.stdout
    assert "The sound card is back." in result.stdout
    # The file of the reopened card starts with the block that failed: no frame is lost or played twice.
    played = np.fromfile(card.parent / "recorded", dtype="<i2").reshape(-1, 2)
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
def test_a_card_is_found_by_number_or_part_of_its_name(device: str, number: int) -> None:
    assert find_sound_card(device, CARDS).number == number


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ("1", "no sound card '1'. Sound cards: 0 HDA Intel: ALC257; 3 USB Audio 3; 7 default"),
        ("defualt", "no sound card 'defualt'. Did you mean 'default'? Sound cards: 0 "),
        ("a", "'a' matches several sound cards; give the number of one (0 HDA"),
    ],
)
def test_an_unknown_or_ambiguous_card_is_rejected_with_a_list(device: str, words: str) -> None:
    with pytest.raises(AudioError, match=re.escape(words)):
        find_sound_card(device, CARDS)


def test_an_empty_list_of_cards_is_reported() -> None:
    with pytest.raises(AudioError, match=re.escape("no sound card 'usb'. Sound cards: none")):
        find_sound_card("usb", [])


def test_only_stereo_outputs_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    channels = {"a microphone": 0, "a mono speaker": 1, "headphones": 2, "a cinema": 8}
    devices = [{"name": name, "max_output_channels": count} for name, count in channels.items()]
    portaudio = SimpleNamespace(default=SimpleNamespace(device=(0, 3)), query_devices=lambda: devices)
    monkeypatch.setattr("radio.playback.sound_card._portaudio", lambda: portaudio)
    assert list_sound_cards() == [SoundCardInfo(2, "headphones", False), SoundCardInfo(3, "a cinema", True)]


def test_an_underrun_before_reopening_does_not_lengthen_the_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream:
        """A PortAudio stream that reports an underrun at each write."""

        write_available = 4_096

        def __init__(self, **_: object) -> None:
            self.start = self.stop = lambda: None

        def write(self, _: object) -> bool:
            return True

        def close(self, **_: object) -> None:
            self.write_available = 0

    portaudio = SimpleNamespace(
        OutputStream=Stream, PortAudioError=OSError, _terminate=lambda: None, _initialize=lambda: None
    )
    monkeypatch.setattr("radio.playback.sound_card._portaudio", lambda: portaudio)
    card, block = SoundCard(), np.zeros((960, 2), np.float32)
    card.write(block)
    card.reopen()
    card.write(block)
    assert card.buffer == INITIAL_BUFFER
    card.write(block)
    assert card.buffer > INITIAL_BUFFER
