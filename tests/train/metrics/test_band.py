"""Measures of a band: the bits of its layers, and their fit with each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from radio.model.engines.selection import open_engine
from radio.model.sampling import Sampling
from radio.music.band_events import DRUMS, INSTRUMENTS, BandNote, decode
from radio.music.parts import BAND
from tests.compose.listening.songs import song
from tests.model.models import checkpoint
from train.cli.main import main
from train.data.corpus.band import pieces_of
from train.data.vocabulary import RowTable, known_tokens
from train.loop.fit import fit
from train.loop.module import TrainingModule
from train.loop.recipe import Recipe
from train.metrics.band_bits import bits_by_layer, of_layer
from train.metrics.band_samples import PLAYED, continued, layer_of, togetherness
from train.metrics.evaluate import model_figures
from train.prepare.corpus import prepare

BASS = INSTRUMENTS.index("bass")


def recipe(corpus: Path) -> Recipe:
    return Recipe(
        part="band", corpus=str(corpus), layers=1, width=64, tokens=256, lanes=2, window=32, threads=1,
        precision="32-true",
    )  # fmt: skip


def test_the_bits_of_the_layers_add_up_to_those_of_the_model(tmp_path: Path) -> None:
    (piece,) = (
        np.array(piece.tokens(), np.uint16) for piece in pieces_of(song(tmp_path / "song.mid", turns=1), "song")
    )
    table = RowTable(BAND, known_tokens(BAND))
    module = TrainingModule(replace(recipe(tmp_path), window=512), table).eval()
    whole = model_figures(module, [piece], table)
    layers = bits_by_layer(module, [piece])
    counted = {layer: len(decode(of.tolist())) for layer in layers if (of := of_layer(piece, layer)) is not None}
    assert {layer: bits.events for layer, bits in layers.items()} == counted
    assert set(counted) == {"keys", "bass", "drums", "lead"}
    assert whole["tokens"] == 3 * sum(counted.values())
    total = sum(bits.events * bits.bits for bits in layers.values())
    assert total == pytest.approx(float(str(whole["bits"])) * int(str(whole["tokens"])), rel=1e-4)


def test_bass_notes_on_kicks_and_in_the_harmony_of_the_keys_are_counted() -> None:
    kick, hat = BandNote(0, 1, DRUMS, 36, 72), BandNote(16, 1, DRUMS, 42, 72)
    keys = [BandNote(0, 12, 0, note, 72) for note in (60, 64, 67)]
    basses = [BandNote(0, 8, BASS, 36, 72), BandNote(16, 8, BASS, 43, 72), BandNote(8, 4, BASS, 38, 72)]
    assert togetherness([kick, hat, *keys, *basses]) == {
        "bass on a kick": (1, 3),
        "kicks with a bass": (1, 1),
        "bass in the keys' harmony": (1, 2),
    }


def test_a_model_continues_where_the_track_stops(tmp_path: Path) -> None:
    (piece,) = pieces_of(song(tmp_path / "song.mid", turns=6), "song")
    heard = decode(piece.tokens())
    engine = open_engine(checkpoint("band"))
    one, again, other = (continued(engine, heard, PLAYED, Sampling(), (seed,)) for seed in (1, 1, 2))
    assert one == again != other
    for played in (one, other):
        starts = [note.start for note in played]
        assert starts == sorted(starts)
        assert all(start in PLAYED for start in starts)


@pytest.mark.slow
def test_the_command_compares_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "midi").mkdir()
    for number in range(4):
        song(tmp_path / "midi" / f"{number}.mid", turns=6, semitones=number)
    prepare("folder", tmp_path / "midi", tmp_path / "data", encoding="events")
    fit(recipe(tmp_path / "data"), tmp_path / "run", progress=False)
    run = str(tmp_path / "run")
    words = ["band", run, "--keys", run, "--bass", run, "--drums", run]
    assert main([*words, "--corpus", str(tmp_path / "data")]) == 0
    all_pieces = capsys.readouterr().out
    assert main(words) == 0
    text = capsys.readouterr().out
    events = [int(table.splitlines()[2].split("|")[2].replace(",", "")) for table in (text, all_pieces)]
    assert events[1] > 3 * events[0], "one of four pieces is for validation"
    assert [line.split("|")[1].strip() for line in text.splitlines()] == [
        "bits per event", "---", "keys", "bass", "drums", "all",
        "share of notes", "---", "bass on a kick", "kicks with a bass", "bass in the keys' harmony",
    ]  # fmt: skip
    assert layer_of(BandNote(0, 1, DRUMS, 36, 72)) == "drums"
