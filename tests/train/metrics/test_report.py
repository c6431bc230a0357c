from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from radio.errors import SettingsError
from radio.model.engines.selection import open_engine
from radio.model.sampling import Sampling
from radio.model.weights.checkpoint import read
from radio.music.events import Note
from radio.types import TICKS_PER_BAR
from tests.train.corpora import pop909_song
from train.metrics import play
from train.metrics.figures_json import figures_json
from train.metrics.passage import Passage, of_tokens, plans_of
from train.metrics.report import report, write
from train.metrics.stationarity import Trend, trends
from train.metrics.table import RHYTHM, compare, measure, passage_bars, table, within
from train.prepare.corpus import prepare

CHECKPOINT = Path("radio/checkpoints/piano.safetensors")


def corpus(tmp_path: Path) -> Path:
    for number in range(1, 5):
        pop909_song(tmp_path / "in", 20 * number, bars=32)
    pop909_song(tmp_path / "in", 1, bars=8)
    prepare("pop909", tmp_path / "in", tmp_path / "out")
    return tmp_path / "out"


def test_a_passage_has_the_notes_and_chords_of_the_prepared_piece(tmp_path: Path) -> None:
    ((tokens, bars), *_) = play.corpus(corpus(tmp_path) / "validation.jsonl")
    piece = of_tokens(tokens, bars)
    assert piece.bars == len(piece.chords) / 4 == 32
    assert [str(chord) for chord in piece.chords[:8:4]] == ["Cmaj7", "Am7"]
    cut = list(piece.cut(8))
    assert len(cut) == 4
    assert sum(len(passage.notes) for passage in cut) == len(piece.notes)
    assert all(0 <= note.start < note.end <= 8 * TICKS_PER_BAR for passage in cut for note in passage.notes)


def test_plans_have_the_controls_of_the_piece(tmp_path: Path) -> None:
    ((tokens, _), *_) = play.corpus(corpus(tmp_path) / "validation.jsonl")
    piece = of_tokens(tokens, 32)
    plans = list(plans_of(tokens, "piano"))
    assert [plan.number for plan in plans] == list(range(32))
    assert tuple(chord for plan in plans for chord in plan.chords) == tuple(piece.chords)
    strikes = [sum(note.start // TICKS_PER_BAR == bar for note in piece.notes) for bar in range(32)]
    assert [plan.densities["piano"] for plan in plans] == [
        next(level for level, most in enumerate((0, 4, 7, 9, 12, 15, 20, 999)) if count <= most) for count in strikes
    ]


def test_a_model_follows_the_plans_of_a_piece(tmp_path: Path) -> None:
    pieces = [(tokens[:400], 8) for tokens, _ in play.corpus(corpus(tmp_path) / "validation.jsonl")[:1]]
    model = read(CHECKPOINT)
    once, again = (list(play.under_plans(open_engine(model), model.part, pieces, Sampling(), seed=3)) for _ in range(2))
    assert once == again
    assert once[0].notes
    assert once[0].chords == tuple(chord for plan in plans_of(pieces[0][0], "piano") for chord in plan.chords)


def steady(bars: int, random: np.random.Generator, late: int = 0) -> Passage:
    ticks = [bar * TICKS_PER_BAR + 10 * int(random.integers(0, 48)) for bar in range(bars) for _ in range(4)]
    ticks += [
        bar * TICKS_PER_BAR + 10 * int(random.integers(0, 48)) for bar in range(bars // 2, bars) for _ in range(late)
    ]
    return Passage(sorted(Note(tick, tick + 1, 36, 80) for tick in ticks), bars)


def test_music_that_grows_denser_drifts() -> None:
    metrics = {"note density": RHYTHM["note density"], "groove consistency": RHYTHM["groove consistency"]}
    same = trends(steady(32 * 60, np.random.default_rng(1)), metrics, 6)
    denser = trends(steady(32 * 60, np.random.default_rng(1), late=3), metrics, 6)
    assert all(abs(trend.drift) < 1 and trend.furthest < 3 for trend in same.values())
    assert denser["note density"].drift > 1.5
    assert denser["note density"].furthest > 3
    assert len(same["note density"].means) == 6


def test_the_ceiling_compares_real_music_with_itself() -> None:
    measured = measure([steady(32 * 80, np.random.default_rng(1))], {"note density": RHYTHM["groove consistency"]}, 32)
    (row,) = compare(measured, measured)
    assert row.likeness.overlap > 0.95
    assert row.ceiling.overlap > 0.8
    assert "Mean overlap area" in table([row], "itself")


def test_passages_have_the_longest_length_with_enough_passages() -> None:
    random = np.random.default_rng(2)
    pieces = {bars: [steady(bars, random) for _ in range(24)] for bars in (70, 20, 14, 5, 3)}
    assert [passage_bars(pieces[bars]) for bars in (70, 20, 14, 5)] == [32, 16, 8, 4]
    with pytest.raises(SettingsError, match="has 0 passages of 4 bars"):
        passage_bars(pieces[3])
    assert set(RHYTHM) - set(within(RHYTHM, 8)) == {"repetition after 8 bars", "repetition after 16 bars"}
    assert within(RHYTHM, 32) == RHYTHM


def test_too_little_music_is_an_error() -> None:
    few = steady(70, np.random.default_rng(2))
    with pytest.raises(SettingsError, match="no passage of 32 bars with 16 notes"):
        measure([Passage([], 64)], RHYTHM, 32)
    with pytest.raises(SettingsError, match="--hours: 70 bars are too few; 3 parts of 32 are needed"):
        trends(few, RHYTHM, 3)


@pytest.mark.slow
def test_a_report_is_json_markdown_and_a_picture(tmp_path: Path) -> None:
    results = report(corpus(tmp_path), CHECKPOINT, None, temperature=1.0, hours=0, seed=1)
    words = write(results, tmp_path / "report")
    assert words.count("\n| ") == 18, "all but the repetition after 4, 8 and 16 bars"
    assert words.endswith("Passages of 4 bars.")
    figures = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert {row["metric"] for row in figures["metrics"]} >= {"tonal stability", "chord-tone ratio (CTnCTR)"}
    assert (tmp_path / "report" / "metrics.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / "report" / "metrics.md").read_text() == words + "\n"
    assert not (tmp_path / "report" / "hours.png").exists()
    hours = Trend(np.array([0.5, 0.75, 0.625]), 0.25, 1.5)
    words = write(replace(results, station="chill", hours=3.0, trends={"tonal stability": hours}), tmp_path / "report")
    assert words.splitlines()[-3:] == [
        "| chill, 3 hours | first | last | drift, SD | furthest hour, SE |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| tonal stability | 0.500 | 0.625 | +0.25 | 1.5 |",
    ]
    assert (tmp_path / "report" / "hours.png").read_bytes()[:4] == b"\x89PNG"


def test_figures_that_are_not_finite_are_null() -> None:
    figures = {"kl": float("inf"), "rows": [{"drift": (float("nan"), np.float64("-inf"))}], "bars": 8, "mean": 0.5}
    assert json.loads(figures_json(figures), parse_constant=pytest.fail) == {
        "kl": None, "rows": [{"drift": [None, None]}], "bars": 8, "mean": 0.5
    }  # fmt: skip
