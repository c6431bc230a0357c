from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from radio.audio.decoding import decode, read
from radio.errors import AudioError
from radio.types import SAMPLE_RATE
from tests.judge.signals import noise, tone, write


def test_a_wav_file_is_read_exactly(tmp_path: Path) -> None:
    audio = noise(-30, 2.5)
    path = write(tmp_path / "noise.wav", audio)
    blocks = list(decode(path))
    assert [len(block) for block in blocks] == [SAMPLE_RATE, SAMPLE_RATE, SAMPLE_RATE // 2]
    assert np.abs(np.concatenate(blocks) - audio).max() < 1 / 32_768


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".opus", ".m4a", ".ogg"])
def test_other_formats_rates_and_mono_become_stereo_at_48_khz(tmp_path: Path, suffix: str) -> None:
    source = write(tmp_path / "tone.wav", tone(440, -20, 2.0)[:, :1])
    path = tmp_path / f"tone{suffix}"
    rate = "48000" if suffix == ".opus" else "44100"
    command = ["ffmpeg", "-loglevel", "error", "-i", str(source), "-ar", rate]
    codec = ["-codec:a", "libvorbis"] if suffix == ".ogg" else []
    subprocess.run([*command, *codec, str(path)], check=True)
    audio = read(path)
    assert len(audio) == pytest.approx(2 * SAMPLE_RATE, abs=0.1 * SAMPLE_RATE)
    assert np.array_equal(audio[:, 0], audio[:, 1])
    middle = audio[SAMPLE_RATE // 2 : SAMPLE_RATE * 3 // 2]
    assert 20 * np.log10(np.sqrt(np.mean(middle**2))) == pytest.approx(-20, abs=0.6)  # encoders are not exact


def test_a_recording_whose_rate_and_channels_change_is_read_to_its_end(tmp_path: Path) -> None:
    content = b""
    for rate, channels in (("44100", 2), ("22050", 1)):
        path = tmp_path / f"{rate}.aac"
        source = write(tmp_path / f"{rate}.wav", tone(440, -20, 2.0)[:, :channels])
        subprocess.run(["ffmpeg", "-loglevel", "error", "-i", str(source), "-ar", rate, str(path)], check=True)
        content += path.read_bytes()
    whole = tmp_path / "whole.aac"
    whole.write_bytes(content)
    audio = read(whole)
    assert len(audio) == pytest.approx(4 * SAMPLE_RATE, abs=0.2 * SAMPLE_RATE)
    for second in (1, 3):
        part = audio[second * SAMPLE_RATE :][: SAMPLE_RATE // 2]
        assert 20 * np.log10(np.sqrt(np.mean(part**2))) == pytest.approx(-20, abs=0.6)
        assert np.argmax(np.abs(np.fft.rfft(part[:, 0]))) / 0.5 == pytest.approx(440, abs=2)


def test_a_file_without_audio_is_named_in_the_error(tmp_path: Path) -> None:
    missing, text, empty = tmp_path / "missing.wav", tmp_path / "text.wav", tmp_path / "empty.wav"
    text.write_text("no audio")
    write(empty, np.zeros((0, 2), np.float32))
    for path, reason in ((missing, "no such file"), (text, "cannot be decoded"), (empty, "contains no audio")):
        with pytest.raises(AudioError, match=f"{path.name}: .*{reason}"):
            read(path)
    with pytest.raises(AudioError, match="cannot be decoded"):
        read(tmp_path)
