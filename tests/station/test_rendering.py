"""Tests of rendering a track in several formats."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from radio.music import midi
from radio.paths import STATIONS
from radio.settings.config import load
from radio.station.rendering import RenderOrder, render
from radio.types import SAMPLE_RATE

CHILL = load(STATIONS).station("chill")


def probe(path: Path, entry: str) -> str:
    command = ["ffprobe", "-v", "error", "-show_entries", f"format={entry}", "-of", "csv=p=0", str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_midi_file_is_the_same_with_and_without_audio(tmp_path: Path) -> None:
    shares: list[float] = []
    paths = [tmp_path / "a.mp3", tmp_path / "a.mid"]
    render(CHILL, seconds=8, seed=7, paths=paths, on_progress=shares.append)
    render(CHILL, seconds=8, seed=7, paths=[tmp_path / "b.mid"], on_progress=shares.append)
    assert paths[1].read_bytes() == (tmp_path / "b.mid").read_bytes()
    assert midi.read(paths[1]).notes
    assert float(probe(paths[0], "duration")) == pytest.approx(8, abs=0.1)
    assert max(shares) == pytest.approx(1.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mid", "a.mp3", "b.mid"]


def test_an_order_yields_a_track_for_each_seed_in_each_format(tmp_path: Path) -> None:
    shares: list[float] = []
    quiet = replace(CHILL, keys_program=11, controls=CHILL.controls.changed({"drums_mute": True}))
    order = RenderOrder(quiet, seconds=2, seeds=(7, 8), suffixes=(".wav", ".mid"))
    folder = order.run(tmp_path, shares.append)
    assert sorted(path.name for path in folder.iterdir()) == sorted(order.names)
    assert order.names == ["chill-7.wav", "chill-7.mid", "chill-8.wav", "chill-8.mid"]
    assert shares == sorted(shares)
    assert (folder / "chill-7.wav").stat().st_size == 44 + 4 * 2 * SAMPLE_RATE
    assert (folder / "chill-7.mid").read_bytes() != (folder / "chill-8.mid").read_bytes()
    score = midi.read(folder / "chill-7.mid")
    assert {note.track for note in score.notes} <= {"keys", "bass"}
