"""`radio render`: files are complete or absent, and every mistake is named before the music is rendered."""

from __future__ import annotations

import re
import subprocess
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from radio.cli.render import render
from radio.errors import SettingsError, StreamError
from radio.settings.station import StationSettings
from radio.station import rendering
from radio.types import SAMPLE_RATE
from tests.conftest import ToneStation


def seconds_of(path: Path) -> float:
    probe = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)]
    return float(subprocess.run(probe, check=True, capture_output=True, text=True).stdout)


def test_a_wav_holds_every_frame_that_was_rendered(tmp_path: Path, tone: ToneStation) -> None:
    frames = SAMPLE_RATE * 5 // 2 + 11
    progress: list[float] = []
    loudness = rendering.write_wav(tone, frames, tmp_path / "tone.wav", progress.append)
    with wave.open(str(tmp_path / "tone.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLE_RATE, 2, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
    expected = ToneStation().render(frames)
    assert len(samples) == frames
    assert np.abs(samples / 32_768 - expected).max() <= 0.5 / 32_768 + 1e-9
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert tone.position == frames
    # 0.25 on both channels: -15.05 dBFS RMS each, 3 dB more together, and K-weighting takes 0.6 dB off 440 Hz.
    lufs, peak = re.fullmatch(r"(-\d+\.\d) LUFS, true peak (-\d+\.\d) dBTP", loudness).groups()
    assert float(lufs) == pytest.approx(-12.7, abs=0.11)
    assert float(peak) == pytest.approx(-12.0, abs=0.11)


@pytest.mark.parametrize("ending", [".mp3", ".opus", ".flac"])
def test_encoded_files_are_complete_and_reproducible(tmp_path: Path, tone: ToneStation, ending: str) -> None:
    wav = tmp_path / "tone.wav"
    rendering.write_wav(tone, 2 * SAMPLE_RATE, wav, lambda _: None)
    for name in ("a", "b"):
        rendering.encode(wav, tmp_path / f"{name}{ending}", title="A Tone", station="Tones")
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()
    assert seconds_of(tmp_path / f"a{ending}") == pytest.approx(2.0, abs=0.06)


def test_the_error_of_the_encoder_is_shown(tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"no audio at all")
    with pytest.raises(StreamError, match=r"ffmpeg could not write .mp3: .*Invalid data"):
        rendering.encode(tmp_path / "broken.wav", tmp_path / "out.mp3", title="", station="")


@pytest.fixture
def settings() -> StationSettings:
    return StationSettings("tone", "A Tone", (("Am",),))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[ToneStation]:
    """Return the stations that `render` opens, each of them a tone."""
    stations: list[ToneStation] = []

    def open_station(settings: StationSettings, *, seed: int | None = None, on_bar: object = None) -> ToneStation:
        stations.append(ToneStation(fails_at=SAMPLE_RATE if seed == 13 else None))
        return stations[-1]

    monkeypatch.setattr("radio.station.factory.open_station", open_station)
    return stations


@pytest.mark.parametrize("ending", [".wav", ".mp3", ".OPUS", ".flac"])
def test_a_new_file_replaces_the_old_one(
    tmp_path: Path, settings: StationSettings, opened: list[ToneStation], ending: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"song{ending}"
    path.write_text("the old one")
    render(settings, minutes=0.05, paths=[path])
    assert seconds_of(path) == pytest.approx(3.0, abs=0.06)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert opened[0].closed
    out, err = capfd.readouterr()
    assert out == ""
    assert "0.05 minutes" in err
    assert "LUFS" in err


@pytest.mark.parametrize("ending", [".wav", ".mp3"])
def test_an_error_leaves_the_old_file_as_it_was(
    tmp_path: Path, settings: StationSettings, opened: list[ToneStation], ending: str
) -> None:
    path = tmp_path / f"song{ending}"
    path.write_text("the old one")
    with pytest.raises(ValueError, match="the tone broke off"):
        render(replace(settings, seed=13), minutes=0.05, paths=[path])
    assert path.read_text() == "the old one"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert opened[0].closed


@pytest.mark.parametrize(
    ("name", "minutes", "message"),
    [
        ("song.ogg", 1, r"unsupported file type '.ogg'; use .mid, .wav, .flac, .mp3 or .opus"),
        ("song.midi", 1, r"Did you mean '.mid'?"),
        ("song", 1, "has no suffix"),
        ("nowhere/song.wav", 1, "there is no folder"),
        ("folder.wav", 1, "this is a folder"),
        ("song.wav", 400, "at most 360 minutes"),
        ("song.wav", 1e-9, "--minutes 1e-09: less than a second"),
        ("song.mid", 0.0166, "less than a second"),
    ],
)
def test_mistakes_are_named_before_rendering(
    tmp_path: Path, settings: StationSettings, name: str, minutes: float, message: str
) -> None:
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(SettingsError, match=message):
        render(settings, minutes=minutes, paths=[tmp_path / name])


def test_without_ffmpeg_only_wav_is_available(
    tmp_path: Path, settings: StationSettings, opened: list[ToneStation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StreamError, match=r"ffmpeg, which is not installed: apt install ffmpeg, or use .wav"):
        render(settings, minutes=0.05, paths=[tmp_path / "song.mp3"])
    assert opened == []
    render(settings, minutes=0.05, paths=[tmp_path / "song.wav"])
    assert (tmp_path / "song.wav").exists()
