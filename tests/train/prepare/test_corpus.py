from __future__ import annotations

import errno
import json
import tarfile
from pathlib import Path

import pytest
import tokenizers

from radio.errors import SettingsError
from radio.music.tokenizer import decode, events_to_notes
from radio.music.vocab import NAMES
from radio.types import TEXTURES
from tests.train.corpora import groove, pop909_song
from train.data import binidx
from train.metrics.data_card import facts
from train.prepare.corpus import prepare


def words(out: Path, split: str) -> list[list[str]]:
    return [[NAMES[token] for token in piece.tolist()] for piece in binidx.read(out / split)]


def test_a_song_becomes_bars_on_the_beat_with_refined_chords(tmp_path: Path) -> None:
    pop909_song(tmp_path / "in", 1)
    report = prepare("pop909", tmp_path / "in", tmp_path / "out")
    assert report.pieces == {"train": 1}
    assert report.bars["train"] == 6
    (piece,) = words(tmp_path / "out", "train")
    assert piece[:4] == ["<start>", "<b1>", "<r0>", "<q:maj7>"], "the labeled triad with the sounding seventh"
    bar_lines = [place for place, word in enumerate(piece) if word == "<b1>"]
    assert [piece[place + 1 : place + 3] for place in bar_lines] == [["<r0>", "<q:maj7>"], ["<r9>", "<q:min7>"]] * 3
    assert [word for word in piece if word.startswith("<b")] == ["<b1>", "<b2>", "<b3>", "<b4>"] * 6
    notes = events_to_notes(decode(binidx.read(tmp_path / "out" / "train")[0].tolist()))
    assert {note.start % 120 for note in notes} == {0}, "warped to the annotated beats, not to the file's own tempo"
    assert {note.end - note.start for note in notes} == {60}
    assert 84 not in {note.note for note in notes}, "the copyrighted melody is left out"


def test_waits_never_cross_a_beat(tmp_path: Path) -> None:
    pop909_song(tmp_path / "in", 1)
    prepare("pop909", tmp_path / "in", tmp_path / "out")
    since_beat = 0
    for word in words(tmp_path / "out", "train")[0]:
        if word.startswith("<b"):
            assert since_beat in (0, 120)
            since_beat = 0
        elif word.startswith("t"):
            since_beat += int(word[1:])


def test_bars_without_exactly_four_beats_are_dropped(tmp_path: Path) -> None:
    pop909_song(tmp_path / "in", 1, bars=5, odd_bar=2)
    assert prepare("pop909", tmp_path / "in", tmp_path / "out").bars["train"] == 4


def test_every_twentieth_song_is_for_validation(tmp_path: Path) -> None:
    for number in (19, 20, 21, 40):
        pop909_song(tmp_path / "in", number, bars=2)
    assert prepare("pop909", tmp_path / "in", tmp_path / "out").pieces == {"train": 2, "validation": 2}


def test_broken_songs_are_skipped_and_listed(tmp_path: Path) -> None:
    pop909_song(tmp_path / "in", 1)
    (pop909_song(tmp_path / "in", 2) / "002.mid").write_bytes(b"noise")
    (pop909_song(tmp_path / "in", 3) / "beat_midi.txt").write_text("not numbers\n")
    (pop909_song(tmp_path / "in", 4) / "chord_midi.txt").write_text("0 9 H:maj\n")
    (pop909_song(tmp_path / "in", 5) / "beat_midi.txt").write_text("1 1 1\n1 0 0\n")
    report = prepare("pop909", tmp_path / "in", tmp_path / "out")
    assert report.pieces["train"] == 1
    assert [line.split(": ")[0].rpartition("/")[2] for line in report.skipped] == [
        "002.mid", "beat_midi.txt", "chord_midi.txt", "beat_midi.txt",
    ]  # fmt: skip
    assert "skipped: 4" in report.lines()


def test_drums_have_style_fill_and_backbeat_but_no_releases(tmp_path: Path) -> None:
    report = prepare("groove", groove(tmp_path / "in"), tmp_path / "out")
    assert report.pieces == {"train": 1, "validation": 1}, "3/4 and the test split are left out"
    (beat,) = words(tmp_path / "out", "train")
    assert beat[1:5] == ["<b1>", "<s:hiphop>", "<groove>", "<backbeat>"]
    assert {word.split(":")[0] for word in beat if word[0] != "<" and ":" in word} == {"24", "26", "2a"}, "pads mapped"
    assert not [word for word in beat if word.endswith(":0")]
    (fill,) = words(tmp_path / "out", "validation")
    assert fill[1:4] == ["<b1>", "<s:rock>", "<fill>"]


def test_micro_timing_is_rounded_to_a_24th_of_a_beat(tmp_path: Path) -> None:
    prepare("groove", groove(tmp_path / "in"), tmp_path / "out")
    tokens = binidx.read(tmp_path / "out" / "train")[0].tolist()
    kicks = [event.tick for event in decode(tokens, hold_limit=30) if event.note == 36 and event.velocity]
    assert kicks[:2] == [0, 300], "2.51 beats are rounded to 2.5"


def test_an_archive_gives_the_same_corpus_as_the_folder(tmp_path: Path) -> None:
    pop909_song(tmp_path / "in" / "pop909", 1)
    with tarfile.open(tmp_path / "songs.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "in", "in")
    prepare("pop909", tmp_path / "in", tmp_path / "one")
    prepare("pop909", tmp_path / "songs.tar.gz", tmp_path / "two")
    assert (tmp_path / "one" / "train.bin").read_bytes() == (tmp_path / "two" / "train.bin").read_bytes()
    row = json.loads((tmp_path / "one" / "train.jsonl").read_text())
    assert row["name"] == "pop909/001"
    assert row["tokens"] == binidx.read(tmp_path / "one" / "train")[0].tolist()


def cut_archive(path: Path) -> None:
    pop909_song(path.parent / "whole", 1)
    with tarfile.open(path, "w:gz") as archive:
        archive.add(path.parent / "whole", "in")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_a_failed_preparation_leaves_the_previous_corpus_intact(tmp_path: Path) -> None:
    pop909_song(tmp_path / "in", 1)
    prepare("pop909", tmp_path / "in", tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "in" / "001" / "001.mid").write_bytes(b"noise")
    with pytest.raises(SettingsError, match=r"no piece to train on[\s\S]*001\.mid: not a standard MIDI file"):
        prepare("pop909", tmp_path / "in", tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_a_full_disk_leaves_the_previous_corpus_intact_and_names_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare("groove", groove(tmp_path / "in"), tmp_path / "out", stages=("weigh",))
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    pop909_song(tmp_path / "songs", 1)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(binidx, "write", fail)
        with pytest.raises(OSError, match="No space left on device") as caught:
            prepare("pop909", tmp_path / "songs", tmp_path / "out")
    assert caught.value.filename == str(tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    (tmp_path / "out" / "train.weights").write_text("1\n2\n")
    prepare("pop909", tmp_path / "songs", tmp_path / "out")
    assert not (tmp_path / "out" / "train.weights").exists(), "all pieces have the same weight"


def test_options_of_other_corpora_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--part is for a folder; groove has only one part"):
        prepare("groove", tmp_path, tmp_path / "out", "drums")
    for corpus, part, encoding in (("groove", None, "notes"), ("folder", "drums", "notes"), ("folder", None, "events")):
        with pytest.raises(SettingsError, match="--loops is for piano pieces"):
            prepare(corpus, tmp_path, tmp_path / "out", part, loops=True, encoding=encoding)


@pytest.mark.parametrize(
    ("corpus", "make", "message"),
    [
        ("pop909", lambda _: None, "no such file or folder"),
        ("pop909", lambda path: path.mkdir(), "there is nothing to read as pop909"),
        ("folder", lambda path: path.mkdir(), "needs --part"),
        ("pop909", lambda path: path.write_text("x"), "neither a folder nor a tar archive"),
        ("pop909", cut_archive, "neither a folder nor a tar archive"),
        ("pop909", lambda path: (pop909_song(path, 1) / "001.mid").write_bytes(b""), "no piece to train on"),
    ],
)
def test_an_unusable_source_is_an_error(tmp_path: Path, corpus: str, make, message: str) -> None:
    source = tmp_path / "source"
    make(source)
    with pytest.raises(SettingsError, match=message):
        prepare(corpus, source, tmp_path / "out")


def test_the_card_has_the_source_the_stages_and_their_effect(tmp_path: Path) -> None:
    for number in (1, 2, 20):
        pop909_song(tmp_path / "in", number, bars=8)
    prepare("pop909", tmp_path / "in", tmp_path / "out", stages=("harmony", "touch"), variants=2)
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["licence"].startswith("POP909, MIT")
    assert card["stages"] == ["harmony", "touch"]
    assert card["pieces"] == {"train": 4, "validation": 1}
    assert card["tokens"]["train"] == sum(map(len, binidx.read(tmp_path / "out" / "train")))
    assert set(card["before"]["chord qualities"]) == {"maj7", "min7"}
    assert sum(card["after"]["chord qualities"].values()) == pytest.approx(1, abs=0.01)
    assert card["before"]["chords"] == {"maj7": 8, "min7": 8}, "two songs, each with a chord per bar for eight bars"
    before, after = (card[when]["quartiles"]["pitch classes sounding"] for when in ("before", "after"))
    assert len(before) == len(after) == 3
    card = facts(tmp_path / "out")
    assert (card["source"], card["variants"]) == ("pop909", 2)
    assert facts(tmp_path / "in") == {}


def test_hugging_face_tokenizers_read_the_same_tokens(tmp_path: Path) -> None:
    pop909_song(tmp_path / "in", 1)
    prepare("pop909", tmp_path / "in", tmp_path / "out")
    tokenizer = tokenizers.Tokenizer.from_file(str(tmp_path / "out" / "tokenizer.json"))
    ids = binidx.read(tmp_path / "out" / "train")[0].tolist()
    assert tokenizer.encode(" ".join(NAMES[token] for token in ids)).ids == ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == " ".join(NAMES[token] for token in ids)
    assert all(tokenizer.token_to_id(name) == token for token, name in NAMES.items())


def test_loops_add_tracks_in_textures_and_the_card_counts_them(tmp_path: Path) -> None:
    pop909_song(tmp_path / "in", 1, bars=40)
    plain = prepare("pop909", tmp_path / "in", tmp_path / "plain")
    looped = prepare("pop909", tmp_path / "in", tmp_path / "out", loops=True)
    assert looped.pieces["train"] == plain.pieces["train"] + 2, "one per sixteen bars"
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert sum(card["loops"]["bars by texture"].values()) == looped.bars["train"] - plain.bars["train"]
    assert card["loops"]["bars that come back after four"] > 0.5
    attributes = [word for word in words(tmp_path / "out", "train")[0] if word.startswith("<register")]
    assert len(attributes) == 40, "in every bar"
    assert all(len(set(attributes[bar : bar + 4])) == 1 for bar in range(0, 40, 4)), "of the same four bars"
    rows = [json.loads(line) for line in (tmp_path / "out" / "train.jsonl").read_text().splitlines()]
    textures = [row["texture"] for row in rows if "texture" in row]
    assert len(textures) == 2
    assert set(textures) <= {*TEXTURES}
