"""One trunk for several parts: separate rows, equal shares of training, and a model per part."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from radio.errors import SettingsError
from radio.model.engines.selection import open_engine
from radio.model.weights import checkpoint
from radio.music.parts import BAND, DRUMS, PIANO
from radio.music.vocab import START, STYLE_BASE, note_token
from tests.train.corpora import groove
from train.cli.main import main
from train.data import binidx
from train.data.shared_trunk import SHARED, SHARING, SharedTable, read, table_of
from train.data.vocabulary import RowTable, known_tokens
from train.loop.batches import TrainingBatches
from train.loop.fit import fit
from train.loop.recipe import Recipe
from train.loop.stored_run import load_module
from train.prepare.corpus import prepare

SHARED_TABLE = SharedTable()


@pytest.fixture(scope="module")
def folder(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("parts")
    prepare("groove", groove(root / "in"), root / "parts" / "drums")
    (root / "parts" / "piano").symlink_to(corpus)
    return root / "parts"


def test_each_part_has_separate_rows_that_are_forced_as_in_its_own_model() -> None:
    ranges = [SHARED_TABLE.rows_of(part) for part in SHARING]
    assert [row for rows in ranges for row in rows] == list(range(len(SHARED_TABLE.tokens)))
    for part, rows in zip(SHARING, ranges, strict=True):
        alone = RowTable(part, known_tokens(part))
        assert SHARED_TABLE.tokens[rows.start : rows.stop] == alone.tokens
        np.testing.assert_array_equal(SHARED_TABLE.forced[rows.start : rows.stop], alone.forced)


def test_a_trunk_has_the_pieces_of_its_parts(folder: Path) -> None:
    pieces = read(SHARED, folder).training
    own = [
        table_of(part.name).rows(piece, semitones=3 if part is PIANO else 0, louder=1)
        + SHARED_TABLE.rows_of(part).start
        for part in (PIANO, DRUMS)
        for piece in binidx.read(folder / part.name / "train")
    ]
    assert len(own) == len(pieces) > 2
    for piece, rows in zip(pieces, own, strict=True):
        np.testing.assert_array_equal(SHARED_TABLE.rows(piece, semitones=3, louder=1), rows)


def test_training_reads_equally_many_tokens_of_each_part(folder: Path, tmp_path: Path) -> None:
    for part, count, length in (("piano", 9, 50), ("drums", 2, 10)):
        (tmp_path / part).mkdir()
        token = STYLE_BASE if part == "drums" else note_token(60, 5)
        for split in ("train", "validation"):
            binidx.write(tmp_path / part / split, [[START] + (length - 1) * [token]] * count)
    binidx.write_weights(tmp_path / "drums" / "train", [3, 1])
    corpus = read(SHARED, tmp_path)
    lanes = TrainingBatches(corpus.training, SHARED_TABLE, lanes=4, window=500, seed=1, weights=corpus.weights)
    batches = iter(lanes)
    rows = np.concatenate([next(batches).rows.numpy()[:, :-1].ravel() for _ in range(10)])
    drums = SHARED_TABLE.rows_of(DRUMS)
    assert np.mean((rows >= drums.start) & (rows < drums.stop)) == pytest.approx(0.5, abs=0.05)
    assert corpus.weights is not None
    assert corpus.weights[-2] == pytest.approx(3 * corpus.weights[-1])


def test_each_part_of_a_trunk_is_measured_and_exported_as_a_model(
    recipe: Recipe, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = replace(recipe, part=SHARED, corpus=str(folder), architecture="rwkv6-experts", tokens=4 * 2 * 64)
    run = tmp_path / "run"
    trunk = load_module(fit(both, run, progress=False)).model
    main(["evaluate", str(run)])
    measured = json.loads(capsys.readouterr().out)
    assert list(measured) == ["piano", "drums"]
    for part in (PIANO, DRUMS):
        out = tmp_path / f"{part.name}.safetensors"
        main(["export", str(run), str(out), "--part", part.name, "--weights", "fp32"])
        main(["evaluate", str(out), "--corpus", str(folder / part.name)])
        on_air = json.loads(capsys.readouterr().out)
        assert on_air["bits"] == pytest.approx(measured[part.name]["bits"], rel=1e-4)
        stored = checkpoint.read(out, part)
        assert stored.card["corpus"]["name"] == part.name
        assert stored.card["validation"]["bits"] == measured[part.name]["bits"]
        rows = SHARED_TABLE.rows_of(part)
        engine = open_engine(stored)
        logits, _ = engine.step([1, 2, 3], engine.zero_state())
        whole, _ = trunk(load_rows([1, 2, 3], rows.start), trunk.zero_state(1))
        np.testing.assert_allclose(logits, whole[0, -1, rows.start : rows.stop].detach().numpy(), atol=1e-4)


def load_rows(rows: list[int], first: int):
    import torch

    return torch.tensor([[first + row for row in rows]])


def test_unsupported_uses_of_a_trunk_are_refused(recipe: Recipe, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match="needs corpora of two parts or more, in folders named piano, drums, chords"
    ):
        read(SHARED, folder / "piano")
    run = fit(replace(recipe, part=SHARED, corpus=str(folder), tokens=128), tmp_path / "run", progress=False)
    with pytest.raises(SettingsError, match="a shared trunk has no band part"):
        load_module(run, BAND)
    with pytest.raises(SettingsError, match="leave out --from"):
        fit(replace(recipe, part=SHARED, corpus=str(folder)), tmp_path / "new", initial=tmp_path / "any")
