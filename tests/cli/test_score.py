"""`radio score` and `radio compare`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from radio.cli.main import main
from tests.judge.signals import noise, tone, write


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return write(tmp_path / "tone.wav", tone(440, -20, 7.0)), write(tmp_path / "noise.wav", noise(-20, 7.0))


def test_json_has_a_line_per_file(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "--json", *map(str, files)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(row["file"]).name for row in rows] == ["tone.wav", "noise.wav"]
    assert rows[0]["loudness"] == pytest.approx(-17.7, abs=0.3)
    assert len(rows[0]["tags"]) == 50


def test_references_have_a_column_and_a_baseline(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", str(files[0]), "--against", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "references (2)" in out
    assert "Fréchet distance to the references" in out
    assert "between the halves of the references" in out


def test_compare_shows_two_files_side_by_side(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    assert main(["compare", *map(str, files), "--report", str(report)]) == 0
    out = capsys.readouterr().out
    assert "difference" in out.splitlines()[0]
    assert "Fréchet distance of the two" in out
    assert "noise.wav" in report.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["score", "missing.wav"], 1, "missing.wav: no such file"),
        (["score", "x.wav", "--words", "rain"], 2, "--words is for the model of --judge"),
        (["score", "x.wav", "--judge", "nowhere"], 2, "is not an address"),
        (["score", __file__, "missing.wav"], 1, "missing.wav: no such file"),
        (["score", __file__, "--against", "missing"], 2, "missing is not a folder"),
        (["compare", "x.wav", "y.wav", "--report", "missing/r.html"], 2, "there is no folder missing"),
        (["compare", "x.wav", "y.wav", "--report", "/"], 2, "this is a folder"),
    ],
)
def test_a_mistake_is_reported_in_one_line(
    arguments: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert len(err.splitlines()) == 1


def test_any_file_name_can_be_shown(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    path = write(tmp_path / "red\x1b[31m \udce9.wav", tone(440, -20, 1.0))
    assert main(["score", str(path)]) == 0
    assert main(["score", "--json", str(path)]) == 0
    out = capsysbinary.readouterr().out
    assert b"\x1b" not in out
    assert out.decode().count(r"31m \xe9.wav") == 1
    assert json.loads(out.splitlines()[-1])["file"].endswith(r"31m \xe9.wav")


def test_short_audio_has_measures_but_no_distance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "short.wav", np.concatenate((tone(440, -20, 1.0), tone(330, -20, 1.0))))
    assert main(["score", str(path), "--against", str(tmp_path)]) == 0
    assert "–" in capsys.readouterr().out
