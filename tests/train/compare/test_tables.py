"""From recipes to the table, on a corpus of four songs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from radio.errors import SettingsError
from radio.model.engines import native_engine
from train.compare import speed
from train.compare.measure import ModelResult, measure
from train.compare.tables import write
from train.loop.fit import fit
from train.loop.recipe import Recipe


@pytest.fixture
def rows(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[ModelResult]:
    monkeypatch.setattr(speed, "LATE", 300)
    monkeypatch.setattr(speed, "ROUNDS", 1)
    runs = {}
    for word in ("rwkv6", "gru", "transformer"):
        runs[word] = tmp_path / word
        fit(replace(recipe, architecture=word), runs[word], progress=False)
    return measure(runs)


def test_results_are_written_as_json_markdown_and_a_picture(rows: list[ModelResult], tmp_path: Path) -> None:
    assert [row.bits for row in rows] == sorted(row.bits for row in rows)
    assert all(0 < row.accuracy < 1 and row.training > 0 and row.numpy.late > 0 for row in rows)
    of = {row.name: row for row in rows}
    assert of["rwkv6"].air.engine == ("native" if native_engine.paths() else "numpy")
    assert of["gru"].air.engine == "numpy"
    assert of["gru"].early_bytes == of["gru"].late_bytes == 2 * 64 * 4
    columns = 4 * (1 + 2 * 2 * 64)
    assert (of["transformer"].early_bytes, of["transformer"].late_bytes) == (100 * columns, 256 * columns)
    assert [tokens for tokens, _ in of["gru"].curve] == [512, 1024]
    assert of["gru"].tokens == 1024

    words = write(rows, tmp_path / "out")
    assert (tmp_path / "out" / "compare.md").read_text() == words + "\n"
    assert (tmp_path / "out" / "compare.png").stat().st_size > 10_000
    stored = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert [result["name"] for result in stored] == [row.name for row in rows]
    tables = [line for line in words.splitlines() if line.startswith("|")]
    assert len(tables) == 2 * (2 + len(rows))
    assert {line.count("|") for line in tables[: 2 + len(rows)]} == {9}
    assert {line.count("|") for line in tables[2 + len(rows) :]} == {8}


def test_an_unfinished_run_is_an_error(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="half: not trained to the end"):
        measure({"half": tmp_path})


def test_speeds_are_measured_on_one_thread_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    with pytest.raises(SettingsError, match="OMP_NUM_THREADS=1"):
        speed.require_one_thread()


def test_every_workload_runs_once_in_every_round() -> None:
    turns: list[str] = []
    speeds = speed.in_turn({name: lambda name=name: turns.append(name) or 1 for name in "ab"}, rounds=2)
    assert "".join(turns) == "ababab"
    assert set(speeds) == {"a", "b"}
