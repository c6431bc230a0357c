"""Tests of rendering a track in several formats."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import mido
import pytest

from radio import files
from radio.errors import SettingsError, StreamError
from radio.music import midi
from radio.paths import STATIONS
from radio.settings.config import load
from radio.station import rendering
from radio.station.extent import BarLoop, TimedExcerpt, WholeTracks
from radio.station.rendering import render
from radio.station.score import Score, compose
from radio.station.tasks import RenderOrder
from radio.types import SAMPLE_RATE

CHILL = load(STATIONS).station("chill")


def probe(path: Path, entry: str) -> str:
    command = ["ffprobe", "-v", "error", "-show_entries", f"format={entry}", "-of", "csv=p=0", str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_midi_file_is_the_same_with_and_without_audio(tmp_path: Path) -> None:
    shares: list[float] = []
    paths = [tmp_path / "a.mp3", tmp_path / "a.mid"]
    render(CHILL, extent=TimedExcerpt(8), seed=7, paths=paths, on_progress=shares.append)
    render(CHILL, extent=TimedExcerpt(8), seed=7, paths=[tmp_path / "b.mid"], on_progress=shares.append)
    assert paths[1].read_bytes() == (tmp_path / "b.mid").read_bytes()
    assert midi.read(paths[1]).notes
    assert float(probe(paths[0], "duration")) == pytest.approx(8, abs=0.1)
    assert max(shares) == pytest.approx(1.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mid", "a.mp3", "b.mid"]


def test_files_of_one_format_are_the_same(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.wav", "b.wav", "a.mid", "b.mid")]
    render(CHILL, extent=TimedExcerpt(2), seed=7, paths=paths, on_progress=lambda _: None)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[2].read_bytes() == paths[3].read_bytes()


def test_a_file_that_does_not_fit_on_the_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy, _ = files.copy(CHILL.soundfont)  # the limit applies to copies in memory, too
    monkeypatch.setattr(files, "_copies", {CHILL.soundfont: Path(f"/proc/self/fd/{copy}")})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(StreamError, match=r"song\.wav cannot be written: File too large"):
            render(CHILL, extent=TimedExcerpt(2), seed=7, paths=[tmp_path / "song.wav"], on_progress=lambda _: None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        os.close(copy)


def test_an_order_yields_a_track_for_each_seed_in_each_format(tmp_path: Path) -> None:
    shares: list[float] = []
    quiet = replace(CHILL, keys_program=11, controls=CHILL.controls.changed({"drums_mute": True}))
    order = RenderOrder(quiet, TimedExcerpt(2), seeds=(7, 8), suffixes=(".wav", ".mid"))
    folder = order.run(tmp_path, shares.append)
    assert sorted(path.name for path in folder.iterdir()) == sorted(order.names)
    assert order.names == ["chill-7.wav", "chill-7.mid", "chill-8.wav", "chill-8.mid"]
    assert shares == sorted(shares)
    assert (folder / "chill-7.wav").stat().st_size == 44 + 4 * 2 * SAMPLE_RATE
    assert (folder / "chill-7.mid").read_bytes() != (folder / "chill-8.mid").read_bytes()
    score = midi.read(folder / "chill-7.mid")
    assert {note.track for note in score.notes} <= {"keys", "bass"}


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".mp3", ".opus"])
def test_two_tracks_are_chapters_of_one_file(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    score = compose(CHILL, 7, WholeTracks(2))
    shares: list[float] = []
    words = render(CHILL, extent=WholeTracks(2), seed=7, paths=[path], on_progress=shares.append)
    assert words.startswith(score.title)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    command = ["ffprobe", "-v", "error", "-show_chapters", "-show_format", "-show_streams", "-of", "json", str(path)]
    output = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert score.title in json.dumps(output)
    assert " / " in score.title
    chapters = [(item["tags"]["title"], float(item["start_time"])) for item in output["chapters"]]
    assert [title for title, _ in chapters] == [chapter.title for chapter in score.chapters]
    starts = [chapter.start / SAMPLE_RATE for chapter in score.chapters]
    assert [start for _, start in chapters] == pytest.approx(starts, abs=0.01)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@cache
def one_bar() -> Score:
    return compose(CHILL, 7, BarLoop(1))


@pytest.mark.parametrize(
    ("ending", "names"),
    [
        (".mp3", ("TKEY", "TBPM")),
        pytest.param(".flac", ("INITIALKEY", "BPM"), marks=pytest.mark.slow),
        (".opus", ("INITIALKEY", "BPM")),
    ],
)
def test_tags_name_the_track_with_its_key_and_tempo(tmp_path: Path, ending: str, names: tuple[str, str]) -> None:
    paths = [tmp_path / f"a{ending}", tmp_path / "a.mid"]
    render(CHILL, extent=BarLoop(1), seed=7, paths=paths, on_progress=lambda _: None)
    score = one_bar()
    assert score.key_and_tempo is not None
    key, tempo = score.key_and_tempo
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(paths[0])]
    output = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    tags = output["format"].get("tags", {}) | output["streams"][0].get("tags", {})
    tags = {name.upper(): value for name, value in tags.items()}
    assert (tags["TITLE"], tags["ARTIST"]) == (score.title, "Chill")
    assert tags[names[0]] == key
    assert float(tags[names[1]]) == pytest.approx(tempo, abs=0.5 if ending == ".mp3" else 0.01)
    assert mido.MidiFile(paths[1]).tracks[0].name == f"{score.title} ({key}, {tempo:g} BPM)"


def test_music_too_long_for_a_wav_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "LONGEST_AUDIO", 60 * SAMPLE_RATE)
    with pytest.raises(SettingsError, match=r"the music lasts \d+ minutes; an audio file holds at most 1"):
        render(CHILL, extent=WholeTracks(1), seed=7, paths=[tmp_path / "a.wav"], on_progress=lambda _: None)
