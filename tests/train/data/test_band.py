"""Pieces for a whole band: from MIDI files to a corpus of events, its transpositions, and a model trained on them."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from radio.errors import MidiError, SettingsError
from radio.model.weights import checkpoint
from radio.music.band_events import DRUMS, INSTRUMENTS, decode, encode
from radio.music.midi_parts import PartChoice
from radio.music.parts import BAND
from radio.music.vocab import BAND_BASE, BAND_DRUMS, BAND_NO_DRUMS, BAND_SIZE, BAND_START
from tests.compose.listening.songs import song
from train.cli.main import main
from train.data import binidx
from train.data.corpus.band import pieces_of
from train.data.vocabulary import RowTable, known_tokens
from train.export.checkpoint import export
from train.loop.fit import fit
from train.loop.recipe import Recipe
from train.metrics.evaluate import evaluate
from train.prepare.corpus import prepare


def test_a_folder_becomes_events_of_all_its_instruments(tmp_path: Path) -> None:
    (tmp_path / "midi").mkdir()
    for number in range(4):
        score = song(tmp_path / "midi" / f"{number}.mid", turns=2, semitones=number)
    assert main(["prepare", "folder", str(tmp_path / "midi"), str(tmp_path / "out"), "--encoding", "events"]) == 0
    pieces = [*binidx.read(tmp_path / "out" / "train"), *binidx.read(tmp_path / "out" / "validation")]
    assert len(pieces) == 4
    lengths = {len(decode(piece.tolist())) for piece in pieces}
    assert lengths == {len(score.notes)}
    notes = decode(pieces[0].tolist())
    assert {INSTRUMENTS[note.instrument] for note in notes} == {"piano", "bass", "flute", "drums"}
    assert pieces[0][:2].tolist() == [BAND_START, BAND_DRUMS]
    assert json.loads((tmp_path / "out" / "card.json").read_text())["pieces"]["train"] == 3


def test_notes_keep_their_positions_in_the_file(tmp_path: Path) -> None:
    score = song(tmp_path / "song.mid", turns=1)
    (piece,) = pieces_of(score, "song")
    ticks = sorted((note.start, note.note) for note in score.notes)
    assert sorted((note.start * score.ppq // 8, note.note) for note in decode(piece.tokens())) == ticks
    assert piece.bars == 4


def test_a_chosen_part_of_a_file_has_the_same_events_as_in_the_whole_file(tmp_path: Path) -> None:
    (tmp_path / "midi").mkdir()
    for number in range(4):
        score = song(tmp_path / "midi" / f"{number}.mid", turns=2, semitones=number)
    whole, (bass,) = pieces_of(score, "song"), pieces_of(score, "song", PartChoice(track="bass"))
    kept = [note for note in decode(whole[0].tokens()) if INSTRUMENTS[note.instrument] == "bass"]
    assert decode(bass.tokens()) == kept
    assert bass.tokens()[:2] == [BAND_START, BAND_NO_DRUMS]
    words = ["prepare", "folder", str(tmp_path / "midi"), str(tmp_path / "out"), "--encoding", "events"]
    assert main([*words, "--track", "bass"]) == 0
    assert all(piece[1] == BAND_NO_DRUMS for piece in binidx.read(tmp_path / "out" / "train"))
    with pytest.raises(MidiError, match="it has no such part; choose a track"):
        pieces_of(score, "song", PartChoice(track="harp"))


def test_incompatible_options_and_meters_are_refused(tmp_path: Path) -> None:
    song(tmp_path / "song.mid")
    with pytest.raises(SettingsError, match="--encoding events is for a folder, without --part"):
        prepare("folder", tmp_path, tmp_path / "out", "piano", encoding="events")
    with pytest.raises(SettingsError, match="needs --part piano, --part drums or --encoding events"):
        prepare("folder", tmp_path, tmp_path / "out")
    score = song(tmp_path / "song.mid")
    with pytest.raises(MidiError, match="it is in 3/4"):
        pieces_of(replace(score, time_signatures=[(0, 3, 4)]), "song")
    generator = random.Random(1)
    freely = [
        replace(note, start=note.start + generator.randrange(score.ppq), end=note.end + score.ppq)
        for note in score.notes
    ]
    with pytest.raises(MidiError, match="its notes do not follow its beats"):
        pieces_of(replace(score, notes=sorted(freely)), "song")


def test_transposition_moves_all_but_the_drums_and_velocities_stay_in_range(tmp_path: Path) -> None:
    (piece,) = pieces_of(song(tmp_path / "song.mid", turns=1), "song")
    table = RowTable(BAND, known_tokens(BAND))
    assert len(table.tokens) == BAND_SIZE == 3088
    assert table.is_pitched
    ids = np.array(piece.tokens(), np.uint16)
    plain = decode((table.rows(ids) + BAND_BASE).tolist())
    moved = decode((table.rows(ids, semitones=3, louder=9) + BAND_BASE).tolist())
    assert encode(plain) == ids.tolist()
    for before, after in zip(plain, moved, strict=True):
        assert after.note == before.note + 3 * (before.instrument != DRUMS)
        assert after.velocity == 120
    assert table.forced[:3].tolist() == [False] * 3
    assert table.forced[ids[:2] - BAND_BASE].all()


@pytest.mark.parametrize("settings", [{"architecture": "transformer", "head_size": 16, "context": 48}, {}])
def test_a_model_learns_events_and_its_export_can_be_read(tmp_path: Path, settings: dict[str, object]) -> None:
    (tmp_path / "midi").mkdir()
    for number in range(4):
        song(tmp_path / "midi" / f"{number}.mid", turns=2, semitones=number)
    prepare("folder", tmp_path / "midi", tmp_path / "data", encoding="events")
    recipe = Recipe(
        part="band", corpus=str(tmp_path / "data"), layers=1, width=64, tokens=256, lanes=2, window=32, threads=1,
        precision="32-true", **settings,  # type: ignore[arg-type]
    )  # fmt: skip
    last = fit(recipe, tmp_path / "run", progress=False)
    export(last, tmp_path / "band.safetensors", {}, "fp32")
    stored = checkpoint.read(tmp_path / "band.safetensors", BAND)
    assert stored.tokens == known_tokens(BAND)
    assert stored.spec.vocabulary == BAND_SIZE
    assert getattr(stored.spec, "head_size", 16) in (16, 64)
    ngrams = evaluate(tmp_path / "run")["ngram_bits"]
    assert min(ngrams) < 1, "the validation piece is a training piece in another key"  # type: ignore[arg-type, type-var]
    if settings:
        with pytest.raises(SettingsError, match="context: 48 in the run, 32 in the recipe"):
            fit(replace(recipe, context=32), tmp_path / "run", progress=False)


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    plain = {"part": "band", "corpus": "data", "layers": 1, "width": 512, "tokens": 100}
    with pytest.raises(SettingsError, match="512 channels are not whole heads of 51"):
        Recipe(**plain, architecture="transformer", head_size=51)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="head_size: only for architecture transformer, not rwkv6"):
        Recipe(**plain, head_size=64)  # type: ignore[arg-type]
    assert Recipe(**plain, architecture="transformer", head_size=64).head_size == 64  # type: ignore[arg-type]
