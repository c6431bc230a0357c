"""`--prime`: renders that start from a MIDI file or a recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from radio.cli.exit_codes import FAILED, OK, USAGE
from radio.cli.main import main
from radio.music import midi
from tests.compose.listening.songs import song
from tests.transcription.sounds import encoded, needs_network, played


def test_a_render_starts_from_a_file_and_reports_the_detected_music(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    song(tmp_path / "song.mid", tempo=72)
    out = tmp_path / "out.mid"
    assert main(["render", "--station", "study", "--prime", str(tmp_path / "song.mid"), "--bars", "2", str(out)]) == OK
    assert "song.mid: 72 BPM; key C; chords" in capsys.readouterr().err
    assert midi.read(out).tempos[0][1] == pytest.approx(60e6 / 72, rel=1e-5)


def test_a_render_that_starts_from_random_notes_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "--station", "study", "--prime", "random", "--bars", "1", str(tmp_path / "out.mid")]) == OK
    assert "random: two bars of random notes" in capsys.readouterr().err


def test_the_set_option_takes_precedence_over_the_file(tmp_path: Path) -> None:
    song(tmp_path / "song.mid", tempo=72)
    out = tmp_path / "out.mid"
    options = ["--prime", str(tmp_path / "song.mid"), "--set", "tempo=60", "--set", "tempo_variety=0", "--bars", "2"]
    assert main(["render", "--station", "study", *options, str(out)]) == OK
    assert midi.read(out).tempos[0][1] == pytest.approx(60e6 / 60, rel=1e-5)


def test_control_characters_of_a_file_name_do_not_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    song(tmp_path / "red\x1b[31m.mid", tempo=72)
    render = ["render", "--station", "study", "--bars", "1", str(tmp_path / "out.mid"), "--prime"]
    assert main([*render, str(tmp_path / "red\x1b[31m.mid")]) == OK
    assert main([*render, str(tmp_path / "missing\x1b[31m.mid")]) == FAILED
    errors = capsys.readouterr().err
    assert "\x1b" not in errors
    assert "red�[31m.mid: 72 BPM" in errors
    assert errors.count("missing�[31m.mid") == 1


@needs_network
@pytest.mark.usefixtures("two_candidates")
def test_a_render_starts_from_a_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = encoded(tmp_path / "song.flac", played(song(tmp_path / "song.mid", tempo=96, turns=1)))
    out = tmp_path / "out.mid"
    assert main(["render", "--station", "study", "--prime", str(path), "--bars", "1", str(out)]) == OK
    assert "BPM; key C; chords" in capsys.readouterr().err
    assert midi.read(out).tempos[0][1] == pytest.approx(60e6 / 96, rel=0.02)


def test_an_unusable_file_or_option_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "noise.mid").write_bytes(b"noise")
    render = ["render", "--station", "study", str(tmp_path / "out.mid")]
    assert main([*render, "--prime", str(tmp_path / "noise.mid")]) == FAILED
    assert "noise.mid: not a standard MIDI file" in capsys.readouterr().err
    assert main([*render, "--prime-part", "channel 1"]) == USAGE
    assert "--prime-part requires --prime FILE" in capsys.readouterr().err
    assert main([*render, "--prime", "random", "--prime-part", "channel 1"]) == USAGE
    assert "--prime-part requires a MIDI file" in capsys.readouterr().err
    assert not (tmp_path / "out.mid").exists()
