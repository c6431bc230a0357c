from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from radio.compose.originality import examine, read_index
from radio.compose.run_index import PASSAGE_BARS, SHINGLE, Index, fingerprints
from radio.errors import SettingsError
from radio.music import midi
from radio.music.events import Note
from radio.music.parts import DRUMS, PIANO
from radio.music.quantize import quantize
from radio.types import TICKS_PER_BAR
from tests.compose.test_run_index import moved, tune
from tests.train.corpora import groove_file, pop909_song
from train.data.corpus.piece import Piece
from train.data.passages import read_pieces
from train.metrics import copied_runs
from train.metrics.copied_runs import beyond, index_of, spread
from train.metrics.passage import Passage
from train.prepare.corpus import prepare

ARCHIVE = Path(__file__).parents[3] / "shared" / "corpus" / "pop909-train.tar.gz"
LENGTH = PASSAGE_BARS * TICKS_PER_BAR


def test_silent_passages_are_left_out() -> None:
    notes = [Note(0, 60, 60, 80), Note(2 * LENGTH, 2 * LENGTH + 60, 60, 80), Note(3 * LENGTH, 3 * LENGTH + 60, 60, 80)]
    runs = spread(Index.of(PIANO, []), [Passage(notes, 3 * PASSAGE_BARS + 1)])
    assert (runs.passages, runs.longest) == (2, 0), "the second passage is silent, and the fourth is incomplete"


def test_a_copied_passage_has_the_longest_run() -> None:
    own = [Passage(tune(seed, 60), PASSAGE_BARS) for seed in range(50, 70)]
    copied = Passage(moved(tune(3, 60), semitones=2), PASSAGE_BARS)
    index = Index.of(PIANO, [tune(seed, 60) for seed in range(10)])
    runs = spread(index, [*own, copied])
    assert runs.longest == len([note for note in tune(3, 60) if note.start < LENGTH])
    assert runs.half == runs.nine_in_ten == 0
    assert spread(Index.of(DRUMS, []), own).longest == 0


def test_an_index_beyond_another_finds_the_same_runs_together_with_it() -> None:
    songs = [tune(seed, 100) for seed in range(6)]
    known = Index.of(PIANO, songs[:3])
    loop = [*songs[4], *moved(songs[4], ticks=songs[4][-1].end + 480)]
    index = Index.of(PIANO, [songs[1], songs[3], loop, songs[5]])
    own = beyond(index, known)
    together = Index.joined([known, own])
    assert len(own.hashes) < len(index.hashes) - 120, "one song and the repetition of another are left out"
    assert [together.longest(song) for song in songs] == [len(song) for song in songs]
    seam = [*songs[4][-15:], *moved(songs[4][:15], ticks=songs[4][-1].end + 480)]
    assert together.longest(seam) == index.longest(seam) > 25
    assert len(beyond(index, index).hashes) < 200


def test_an_index_leaves_out_pads(tmp_path: Path) -> None:
    rows = [
        {"name": kind, "part": "piano", "bars": 25, "tokens": Piece(kind, PIANO, "train", 25, tune(seed, 60)).tokens()}
        for seed, kind in enumerate(("comp", "pad"))
    ]
    lines = [json.dumps({**row, "texture": row["name"]}) for row in rows]
    (tmp_path / "train.jsonl").write_text("\n".join(lines))
    assert len(index_of(PIANO, [tmp_path]).hashes) == pytest.approx(60 - SHINGLE, abs=5), "only one of the pieces"


def test_an_index_contains_corpora_and_their_source_files(tmp_path: Path) -> None:
    for number in (18, 19, 20):
        pop909_song(tmp_path / "in", number, bars=12)
    prepare("pop909", tmp_path / "in", tmp_path / "out")
    files = {number: tmp_path / "in" / f"{number:03}" / f"{number:03}.mid" for number in (19, 20)}
    pieces = index_of(PIANO, [tmp_path / "out"])
    every = index_of(PIANO, [tmp_path / "out"], tmp_path / "in", "PIANO")
    without = Index.of(DRUMS, [])
    longest = {
        index: {finding.track: finding.spread.longest for finding in examine(files[19], {PIANO: index, DRUMS: without})}
        for index in (pieces, every)
    }
    assert longest[every]["PIANO"] > longest[pieces]["PIANO"], (
        "the file's beats differ from those of the prepared piece"
    )
    assert longest[every]["MELODY"] == 0
    assert len(every.hashes) - len(pieces.hashes) == 2 * len(fingerprints(PIANO, file_notes(files[19]))) + 2, "not 20"


def test_the_files_of_a_prepared_folder_are_found_by_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/one.mid", "two.MID", "three.mid", "four.mid"):
        groove_file(tmp_path / "in" / name, [(beat, 36, 80) for beat in range(16)])
    prepare("folder", tmp_path / "in", tmp_path / "out", "drums")
    (held_out,) = read_pieces(tmp_path / "out" / "validation.jsonl")
    read: list[str] = []
    monkeypatch.setattr(copied_runs, "_tracks", lambda path, *_: read.append(path.name) or [])
    index_of(DRUMS, [tmp_path / "out"], tmp_path / "in")
    assert {*read, Path(held_out.name.removesuffix("#0")).name} == {"one.mid", "two.MID", "three.mid", "four.mid"}
    assert len(read) == 3
    (tmp_path / "others").mkdir()
    with pytest.raises(SettingsError, match="others: no MIDI file has the name of a training piece"):
        index_of(DRUMS, [tmp_path / "out"], tmp_path / "others")


def file_notes(path: Path) -> list[Note]:
    score = midi.read(path)
    notes = [note for note in score.notes if note.track == "PIANO"]
    return quantize(PIANO, [(n.start / score.ppq, n.end / score.ppq, n.note, n.velocity) for n in notes])


@pytest.mark.slow
@pytest.mark.skipif(not ARCHIVE.exists(), reason=f"POP909 is not distributed with the code: no {ARCHIVE}")
def test_songs_of_the_pianos_training_set_are_found_and_others_are_not(tmp_path: Path) -> None:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    indexes = {part: read_index(part) for part in (PIANO, DRUMS)}

    def longest(number: int) -> int:
        (path,) = tmp_path.rglob(f"{number:03}.mid")
        return max(f.spread.longest for f in examine(path, indexes) if f.track == "PIANO")

    assert min(longest(number) for number in (1, 29, 84, 112, 168, 195, 223, 251, 279, 306, 362)) > 60
    assert max(longest(number) for number in range(20, 260, 20)) < 20
