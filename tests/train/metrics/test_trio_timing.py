from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from radio.compose.drum_timing import ANY, STEADY, read
from radio.errors import SettingsError
from train.cli.main import main
from train.metrics.trio_timing import measure_trios, read_takes

BEATS = 200


def write_take(folder: Path, name: str, *, keys: float, bass: float, seed: int = 0, own: float = 0.0) -> None:
    """Write a take at 120 BPM with keys and bass late by `keys` and `bass` ms. The keys waver slowly by `own` ms."""
    generator = np.random.default_rng(seed)
    beats = np.arange(BEATS) * 0.5 + 1
    folder.mkdir(parents=True, exist_ok=True)
    slow = own * np.sin(np.arange(BEATS) / 5) * 2**0.5
    onsets = {
        "drums": np.sort(np.concatenate([beats, beats + 0.33])),
        "piano": beats + (keys + slow + generator.normal(0, 1, BEATS)) / 1000,
        "bass": beats + (bass + generator.normal(0, 1, BEATS)) / 1000,
    }
    for instrument, seconds in onsets.items():
        (folder / f"{name}_{instrument}.csv").write_text("\n".join(["seconds", *map(str, seconds)]) + "\n")
    rows = [f"{second},{number // 4}.{number % 4 + 1}" for number, second in enumerate(beats)]
    (folder / f"{name}_beats.csv").write_text("\n".join(["seconds,bar.beat", *rows]) + "\n")


def test_lateness_is_measured_per_take(tmp_path: Path) -> None:
    for number, (keys, bass) in enumerate([(10.0, 0.0), (20.0, 6.0), (15.0, 3.0)]):
        write_take(tmp_path / "trios", f"{number:02}", keys=keys, bass=bass, seed=number)
    table, text = measure_trios(tmp_path / "trios")
    assert isinstance(table["followers"], dict)
    keys_row, bass_row = table["followers"]["keys"], table["followers"]["bass"]
    assert isinstance(keys_row, dict)
    assert isinstance(bass_row, dict)
    assert keys_row["mean"] == pytest.approx(15, abs=0.3)
    assert keys_row["spread"] == pytest.approx(5, abs=0.4)
    assert bass_row["mean"] == pytest.approx(3, abs=0.3)
    assert "| keys | 3 | 600 |" in text


def test_slow_wavering_is_attributed_to_the_player_who_wavers(tmp_path: Path) -> None:
    write_take(tmp_path, "01", keys=10, bass=2, own=8)
    followers = measure_trios(tmp_path)[0]["followers"]
    assert isinstance(followers, dict)
    keys, bass = followers["keys"], followers["bass"]
    assert isinstance(keys, dict)
    assert isinstance(bass, dict)
    assert keys["own"] == pytest.approx(8, abs=0.8)
    assert bass["own"] == pytest.approx(0, abs=1.5)


def test_onsets_far_from_a_beat_do_not_count(tmp_path: Path) -> None:
    write_take(tmp_path, "01", keys=90, bass=2)
    with pytest.raises(SettingsError, match="no takes of jazz trios"):
        read_takes(tmp_path)


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no takes of jazz trios; files such as 01_beats"):
        read_takes(tmp_path)
    write_take(tmp_path, "01", keys=10, bass=2)
    (tmp_path / "01_bass.csv").write_text("seconds\nnoise\n")
    with pytest.raises(SettingsError, match=r"01_bass\.csv: not a table of onsets"):
        read_takes(tmp_path)
    (tmp_path / "01_bass.csv").unlink()
    with pytest.raises(SettingsError, match=r"01_bass\.csv: no such file"):
        read_takes(tmp_path)


def test_the_command_keeps_the_drum_timing_of_an_existing_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_take(tmp_path / "trios", "01", keys=10, bass=2)
    out = tmp_path / "timing.json"
    out.write_text(json.dumps({"styles": {ANY: STEADY.as_json()}}))
    assert main(["timing", "--trios", str(tmp_path / "trios"), "--out", str(out)]) == 0
    assert "| keys | 1 |" in capsys.readouterr().out
    assert read(out)[ANY].followers["keys"].mean == pytest.approx(10, abs=0.5)
    assert read(out)[ANY].as_json() == STEADY.as_json()
    assert main(["timing"]) == 1
    assert "name the folder" in capsys.readouterr().err
