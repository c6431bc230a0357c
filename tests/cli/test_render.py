"""`radio render`: files are complete or absent, and every mistake is named before the music is rendered."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import wave
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from radio.cli.exit_codes import USAGE
from radio.cli.main import main, parse
from radio.cli.render import extent_of, render
from radio.errors import SettingsError, StreamError
from radio.settings.station import StationSettings
from radio.station import audio_files
from radio.station.extent import BarLoop, Extent, TimedExcerpt, WholeTracks
from radio.station.score import Score
from radio.types import SAMPLE_RATE, Block
from tests.playback.pulseaudio import wait_for
from tests.tone_station import ToneStation


def seconds_of(path: Path) -> float:
    probe = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)]
    return float(subprocess.run(probe, check=True, capture_output=True, text=True).stdout)


def test_a_wav_file_contains_every_rendered_frame(tmp_path: Path, tone: ToneStation) -> None:
    frames = SAMPLE_RATE * 5 // 2 + 11
    progress: list[float] = []
    blocks = (tone.render(min(SAMPLE_RATE, frames - at)) for at in range(0, frames, SAMPLE_RATE))
    loudness = audio_files.write_wav(blocks, frames, tmp_path / "tone.wav", progress.append)
    with wave.open(str(tmp_path / "tone.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLE_RATE, 2, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
    expected = ToneStation().render(frames)
    assert len(samples) == frames
    assert np.abs(samples / 32_768 - expected).max() <= 0.5 / 32_768 + 1e-9
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert tone.position == frames
    # 0.25 on both channels: -15.05 dBFS RMS each, 3 dB more together; K-weighting lowers 440 Hz by 0.6 dB.
    lufs, peak = re.fullmatch(r"(-\d+\.\d) LUFS, true peak (-\d+\.\d) dBTP", loudness).groups()
    assert float(lufs) == pytest.approx(-12.7, abs=0.11)
    assert float(peak) == pytest.approx(-12.0, abs=0.11)


@pytest.mark.parametrize("ending", [".mp3", ".opus", ".flac"])
def test_encoded_files_are_complete_and_reproducible(tmp_path: Path, tone: ToneStation, ending: str) -> None:
    wav = tmp_path / "tone.wav"
    audio_files.write_wav([tone.render(2 * SAMPLE_RATE)], 2 * SAMPLE_RATE, wav, lambda _: None)
    for name in ("a", "b"):
        tags = {"title": "A Tone", "artist": "Tones"}
        audio_files.encode(wav, tmp_path / f"{name}{ending}", tags=tags)
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()
    assert seconds_of(tmp_path / f"a{ending}") == pytest.approx(2.0, abs=0.06)


def test_an_error_of_the_encoder_is_shown(tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"no audio at all")
    with pytest.raises(StreamError, match=r"ffmpeg could not write out.mp3: .*Invalid data"):
        audio_files.encode(tmp_path / "broken.wav", tmp_path / "out.mp3", tags={})


@pytest.fixture
def settings() -> StationSettings:
    return StationSettings("tone", "A Tone", (("Am",),))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[ToneStation]:
    """Return the stations that play the scores. Each plays a tone."""
    stations: list[ToneStation] = []

    def play(score: Score) -> Iterator[Block]:
        stations.append(ToneStation(fails_at=SAMPLE_RATE if score.seed == 13 else None))
        with closing(stations[-1]) as station:
            for at in range(0, score.frames, SAMPLE_RATE):
                yield station.render(min(SAMPLE_RATE, score.frames - at))

    monkeypatch.setattr("radio.station.rendering.play", play)
    return stations


@pytest.mark.parametrize("ending", [".wav", ".mp3", ".OPUS", ".flac"])
def test_a_new_file_replaces_the_old_one(
    tmp_path: Path, settings: StationSettings, opened: list[ToneStation], ending: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"song{ending}"
    path.write_text("the old one")
    render(settings, extent=TimedExcerpt(3), paths=[path])
    assert seconds_of(path) == pytest.approx(3.0, abs=0.06)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert opened[0].closed
    out, err = capfd.readouterr()
    assert out == ""
    assert ", 0:03, " in err
    assert "LUFS" in err


def test_a_symbolic_link_is_kept(tmp_path: Path, settings: StationSettings, opened: list[ToneStation]) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    link = tmp_path / "song.wav"
    link.symlink_to(folder / "real.wav")
    for _ in range(2):  # its target is created, then replaced
        render(settings, extent=TimedExcerpt(3), paths=[link])
        assert link.is_symlink()
        assert seconds_of(folder / "real.wav") == pytest.approx(3.0, abs=0.06)
    assert [file.name for file in folder.iterdir()] == ["real.wav"]
    assert len(opened) == 2
    link.unlink()
    link.symlink_to(tmp_path / "nowhere" / "song.wav")
    with pytest.raises(SettingsError, match=r"there is no folder .*nowhere"):
        render(settings, extent=TimedExcerpt(3), paths=[link])


@pytest.mark.parametrize("ending", [".wav", ".mp3"])
def test_an_error_leaves_the_old_file_unchanged(
    tmp_path: Path, settings: StationSettings, opened: list[ToneStation], ending: str
) -> None:
    path = tmp_path / f"song{ending}"
    path.write_text("the old one")
    with pytest.raises(ValueError, match="the tone broke off"):
        render(replace(settings, seed=13), extent=TimedExcerpt(3), paths=[path])
    assert path.read_text() == "the old one"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert opened[0].closed


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("song.ogg", r"unsupported file type '.ogg'; use .mid, .wav, .flac, .mp3 or .opus"),
        ("song.midi", r"Did you mean '.mid'?"),
        ("song", "has no suffix"),
        ("nowhere/song.wav", "there is no folder"),
        ("folder.wav", "this is a folder"),
    ],
)
def test_mistakes_are_named_before_rendering(
    tmp_path: Path, settings: StationSettings, name: str, message: str
) -> None:
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(SettingsError, match=message):
        render(settings, extent=WholeTracks(), paths=[tmp_path / name])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--minutes 400 song.wav", "--minutes 400: an audio file holds at most 360 minutes"),
        ("--minutes 1e-9 song.wav", "--minutes 1e-09: less than a second"),
        ("--minutes 0.0166 song.mid", "less than a second"),
        ("--minutes 1e9 song.mid", "--minutes 1e+09: a file holds at most a week, 10080 minutes"),
        ("--seed 9223372036854775807 --count 2 song.mid", "--count 2: the last seed would be 9223372036854775808;"),
        ("--minutes 1 --tracks 1 song.mid", "--tracks and --minutes cannot be combined; use one of"),
        ("--minutes 1 --tracks 1 --bars 1 song.mid", "--tracks and --bars and --minutes cannot be combined"),
    ],
)
def test_an_invalid_length_is_named_before_rendering(
    capsys: pytest.CaptureFixture[str], options: str, message: str
) -> None:
    assert main(["render", "--station", "chill", *options.split()]) == USAGE
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "extent"),
    [
        ("", WholeTracks(1)),
        ("--tracks 3", WholeTracks(3)),
        ("--bars 16", BarLoop(16)),
        ("--minutes 2.5", TimedExcerpt(150)),
    ],
)
def test_options_select_the_part_of_the_music(options: str, extent: Extent) -> None:
    assert extent_of(parse(["render", "--station", "chill", *options.split(), "song.mid"])) == extent


def test_without_ffmpeg_only_wav_is_available(
    tmp_path: Path, settings: StationSettings, opened: list[ToneStation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StreamError, match=r"ffmpeg, which is not installed: apt install ffmpeg, or use .wav"):
        render(settings, extent=TimedExcerpt(3), paths=[tmp_path / "song.mp3"])
    assert opened == []
    render(settings, extent=TimedExcerpt(3), paths=[tmp_path / "song.wav"])
    assert (tmp_path / "song.wav").exists()


def drafts(folder: Path) -> list[Path]:
    return list(folder.glob("*.radio-*"))


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_render_leaves_no_drafts(number: signal.Signals, tmp_path: Path) -> None:
    """A killed run cannot delete its drafts; the next run that writes to the folder does."""
    song = tmp_path / "song.wav"
    command = [sys.executable, "-m", "radio", "render", "--station", "chill", "--minutes", "300", str(song)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as radio:
        wait_for(lambda: list(tmp_path.glob("*.radio-*/0")), "a draft", 90)  # the folder is complete
        radio.send_signal(number)
        _, errors = radio.communicate(timeout=90)
    assert b"Traceback" not in errors
    assert not song.exists()
    assert bool(drafts(tmp_path)) == (number is signal.SIGKILL)
    if number is signal.SIGKILL:
        assert main(["render", "--station", "chill", "--bars", "1", str(tmp_path / "loop.mid")]) == 0
    assert drafts(tmp_path) == []
