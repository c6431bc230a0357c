"""Recordings: known sounds are transcribed, and unusable ones are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radio.errors import AudioError
from radio.transcription.recording import transcribe
from radio.transcription.signature import is_recording
from tests.compose.listening.songs import song
from tests.judge.signals import noise, write
from tests.transcription.sounds import encoded, hummed, needs_network, played

SCALE = [(note, 1.0) for note in (60, 62, 64, 65, 67, 69, 71, 72)]


@needs_network
def test_a_hummed_scale_is_heard_note_by_note(tmp_path: Path) -> None:
    score = transcribe(write(tmp_path / "scale.wav", hummed(SCALE, 80)))
    assert score.timed
    assert [note.note for note in score.notes] == [note for note, _ in SCALE]
    starts = [score.seconds(note.start) for note in score.notes]
    assert starts == pytest.approx([place * 0.75 for place in range(8)], abs=0.04)


@needs_network
@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".flac", ".ogg"])
def test_chords_of_a_piano_are_heard_in_all_formats(tmp_path: Path, suffix: str) -> None:
    written = song(tmp_path / "song.mid", turns=1, tempo=90)
    keys = [note for note in written.notes if note.track == "Keys"]
    heard = transcribe(encoded(tmp_path / f"song{suffix}", played(written))).notes
    right = sum(
        any(other.note == note.note and abs(written.seconds(note.start) - other.start / 1920) < 0.05 for other in heard)
        for note in keys
    )
    assert right >= 0.9 * len(keys)
    assert len(heard) <= 1.15 * len(keys)


@needs_network
def test_an_unusable_recording_is_refused_with_the_reason(tmp_path: Path) -> None:
    tune = hummed(SCALE, 80)
    silent, minute = np.zeros((5 * 48_000, 2), np.float32), np.resize(tune, (61 * 48_000, 2))
    cases = {
        "silent.wav": (silent, "it is silent, at -180 dBFS"),
        "noise.wav": (noise(-20, 8.0), r"too few notes were heard: \d in its 8 seconds"),
        "long.wav": (minute, "it lasts 61 seconds; use a recording .* of 3 to 60 seconds"),
        "long.flac": (minute, "it lasts 61 seconds"),
        "short.wav": (tune[:48_000], r"it lasts 1\.0 seconds"),
    }
    for name, (audio, message) in cases.items():
        with pytest.raises(AudioError, match=message):
            transcribe(encoded(tmp_path / name, audio))


@needs_network
@pytest.mark.parametrize(
    ("suffix", "message"),
    [
        (".wav", "it is cut short: 50% of its stated length is missing"),
        (".mp3", r"it is cut short: its header states 16\.\d seconds, but it has [78]\.\d"),
        (".flac", r"after \d seconds it is damaged: the audio cannot be decoded"),
    ],
)
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str, message: str) -> None:
    path = encoded(tmp_path / f"whole{suffix}", hummed(SCALE * 2, 60))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(AudioError, match=message):
        transcribe(path)


@needs_network
def test_the_error_for_a_damaged_file_names_no_path(tmp_path: Path) -> None:
    (tmp_path / "damaged.wav").write_bytes(b"RIFF\0\0\0\0WAVEnonsense")
    with pytest.raises(AudioError) as caught:
        transcribe(tmp_path / "damaged.wav")
    assert str(tmp_path) not in str(caught.value)


def test_recordings_are_recognized_by_their_first_bytes(tmp_path: Path) -> None:
    audio = hummed(SCALE[:2], 120)
    for suffix in (".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".webm", ".aac"):
        assert is_recording(encoded(tmp_path / f"sound{suffix}", audio).read_bytes()[:12]), suffix
    song(tmp_path / "song.mid")
    for other in ((tmp_path / "song.mid").read_bytes(), b"PK\3\4", b"RIFF\0\0\0\0RMIDdata", b"noise", b""):
        assert not is_recording(other[:12])


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(AudioError, match=r"needs onnxruntime, .*pip install 'lofi-radio-daemon\[audio\]'"):
        transcribe(tmp_path / "any.wav")
