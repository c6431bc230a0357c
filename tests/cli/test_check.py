"""`radio check` finds the mistakes that would stop a start."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest
from scipy.io import wavfile

from radio.audio.soundfont import presets
from radio.cli.main import main
from radio.paths import SOUNDFONT

MINIMAL = "stations:\n  chill:\n    title: Chill\n"


def check(path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Check a config with one problem and return the line that names it."""
    config = path / "stations.yaml"
    config.write_text(text)
    assert main(["check", "--config", str(config)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"radio: {config}:")
    return line


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("keys_program: 126", "instruments: .* has no program 126; it has "),
        ("keys_program: [4, 126]", "instruments: .* has no program 126"),
        ("bass_program: 126", "instruments: .* has no program 126"),
        ("drum_kit: 126", "instruments: .* has no drum kit 126"),
    ],
)
def test_a_program_missing_from_the_soundfont_is_named(
    setting: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import re

    assert (0, 126) not in presets(SOUNDFONT)
    assert re.search(words, check(tmp_path, f"{MINIMAL}    {setting}\n", capsys))


def test_a_soundfont_with_a_damaged_list_of_presets_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(SOUNDFONT.read_bytes())
    place = data.index(b"phdr")
    data[place + 4 : place + 8] = struct.pack("<I", 37)  # not a multiple of 38
    (tmp_path / "damaged.sf2").write_bytes(data)
    assert "damaged.sf2" in check(tmp_path, f"{MINIMAL}    soundfont: damaged.sf2\n", capsys)


def test_unplayable_loops_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"{MINIMAL}    loops: rain\n"
    folder = tmp_path / "rain"
    folder.mkdir()
    assert "chill: loops: " in check(tmp_path, text, capsys)
    (folder / "broken.wav").write_bytes(b"RIFF of nothing")
    assert "broken.wav" in check(tmp_path, text, capsys)
    shutil.rmtree(folder)
    assert "there is no folder" in check(tmp_path, text, capsys)


def test_a_folder_of_loops_with_stray_files_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    folder = tmp_path / "rain"
    folder.mkdir()
    wavfile.write(folder / "rain.wav", 48_000, np.ones(48_000, np.int16))
    (folder / "._rain.wav").write_bytes(b"no sound")
    config = tmp_path / "stations.yaml"
    config.write_text(f"{MINIMAL}    loops: rain\n")
    assert main(["check", "--config", str(config)]) == 0
    assert "valid" in capsys.readouterr().out


def test_a_missing_home_folder_gives_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account without a home folder, as in a container, has no `~`."""

    def expanduser(path: Path) -> Path:
        if path.parts[:1] == ("~",):
            raise RuntimeError("Could not determine home directory.")
        return path

    monkeypatch.setattr(Path, "expanduser", expanduser)
    assert "'~/rain': ~ means no folder here" in check(tmp_path, f"{MINIMAL}    loops: ~/rain\n", capsys)


@pytest.mark.parametrize(
    ("setting", "remedy"),
    [
        ("host: 0.0.0.0:8000", "write host: 0.0.0.0 and port: 8000"),
        ("host: http://localhost", "leave out 'http://'"),
        ("port: 010000", "YAML reads 010000 as 4096"),
        ('port: "9000"', "write it without quotes"),
    ],
)
def test_a_malformed_address_is_named_with_a_remedy(
    setting: str, remedy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert remedy in check(tmp_path, f"{MINIMAL}server:\n  {setting}\n", capsys)


def test_surrogate_pairs_are_joined_and_lone_surrogates_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from radio.settings.config import load

    config = tmp_path / "stations.yaml"
    config.write_text('stations:\n  chill:\n    title: "\\uD83C\\uDF19 Lo-Fi"\n')
    assert load(config).stations["chill"].title == "\N{CRESCENT MOON} Lo-Fi"
    line = check(tmp_path, 'stations:\n  chill:\n    title: "\\uD83C Lo-Fi"\n', capsys)
    assert ":3: " in line
    assert "half of a character" in line
