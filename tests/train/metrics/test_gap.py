from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from radio.errors import SettingsError
from radio.music.events import Note
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT
from tests.train.corpora import pop909_song
from train.metrics import gap
from train.metrics.gap import LOFI, NAMES, POP, FeatureGap, compare, table
from train.metrics.keyboard_features import NAMES as FEATURES
from train.metrics.keyboard_features import features, windows
from train.metrics.passage import Passage
from train.metrics.play import corpus, human
from train.prepare.corpus import prepare

CHORD = (48, 64, 67, 71)


def held(beats: int = 4) -> list[Note]:
    """Return four bars with Cmaj7 in root position on every bar line, held for `beats`."""
    return [
        Note(bar * TICKS_PER_BAR, bar * TICKS_PER_BAR + beats * TICKS_PER_BEAT, pitch, 70 + bar)
        for bar in range(4)
        for pitch in CHORD
    ]


def test_features_of_held_chords_equal_a_count_by_hand() -> None:
    (window,) = windows(Passage(held(), 4))
    figures = dict(zip(FEATURES, features(window), strict=True))
    assert figures["notes a beat"] == 1
    assert figures["onsets a beat"] == 0.25
    assert figures["polyphony"] == figures["polyphony while sounding"] == figures["pitch classes sounding"] == 4
    assert figures["polyphony, SD"] == 0
    assert figures["median note length, beats"] == 4
    assert figures["share of silence"] == 0
    assert (figures["lowest pitch"], figures["highest pitch"], figures["mean pitch"]) == (48, 71, 62.5)
    assert [figures[f"interval class {semitones}"] for semitones in (2, 4, 7, 11)] == [0, 0.25, 0.25, 0.25]
    assert figures["velocity"] == 71.5
    assert figures["velocity spread"] == pytest.approx(np.std([70, 71, 72, 73]))


def test_silence_is_the_time_without_notes() -> None:
    (window,) = windows(Passage(held(beats=3), 4))
    figures = dict(zip(FEATURES, features(window), strict=True))
    assert figures["share of silence"] == 0.25
    assert (figures["polyphony"], figures["polyphony while sounding"], figures["pitch classes"]) == (3, 4, 3)


def test_similar_bars_share_onsets_and_pitches() -> None:
    (window,) = windows(Passage(held(), 4))
    figures = dict(zip(FEATURES, features(window), strict=True))
    assert figures["similarity of bars"] == figures["most alike bars"] == 1
    moved = [replace(note, note=note.note + note.start // TICKS_PER_BAR % 2) for note in held()]
    figures = dict(zip(FEATURES, features(moved), strict=True))
    assert figures["most alike bars"] == 1
    assert figures["similarity of bars"] == pytest.approx(2 / 6), "two of six pairs are the same"


def test_the_distance_from_the_grid_measures_swing_and_feel() -> None:
    (window,) = windows(Passage(held(), 4))
    written = dict(zip(FEATURES, features(window), strict=True))
    played = dict(zip(FEATURES, features(window, [3.0] * len(window)), strict=True))
    assert written["off the sixteenths"] == 0
    assert played["off the sixteenths"] == pytest.approx(0.1)
    assert {name for name in FEATURES if written[name] != played[name]} == {"off the sixteenths"}


def test_windows_are_complete_and_have_enough_notes() -> None:
    late = Note(4 * TICKS_PER_BAR, 5 * TICKS_PER_BAR, 60, 80)
    notes = [*held(), late]
    assert len(list(windows(Passage(notes, 8)))) == 1, "one note is too little to measure"
    assert len(list(windows(Passage(held(), 3)))) == 0


def test_the_closed_share_is_1_at_lofi_and_0_at_pop() -> None:
    row = FeatureGap("notes a beat", 2.0, 3.0, 0.1, {"at": 2.0, "pop": 3.0, "beyond": 1.0, "most": 2.1})
    assert [row.closed(corpus) for corpus in row.measured] == [1, 0, 0, pytest.approx(0.9)]
    assert row.counts
    assert not FeatureGap("notes a beat", 2.0, 2.1, 0.1, {}).counts


def test_gaps_that_may_be_chance_are_in_brackets_and_not_counted() -> None:
    sure = FeatureGap("velocity", 71, 80, 1.0, {"mine": 72})
    missed = FeatureGap("mean pitch", 64, 57, 1.0, {"mine": 60})
    chance = FeatureGap("interval class 3", 0.11, 0.09, 0.02, {"mine": 0.2})
    words = table([sure, missed, chance])
    assert "| (interval class 3) | 0.11 | 0.09 | 1.0 |" in words
    assert "| velocity | 71 | 80 | 9.0 |" in words
    assert "mine: 1 of 2 gaps closed by at least 85%; not mean pitch." in words


def test_the_error_grows_with_the_spread_of_either_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal pieces have no error. Pieces a fifth apart have the error of the median of that many windows."""
    monkeypatch.setattr(gap, "RESAMPLES", 40)
    alike = [Passage(held(), 4)] * 8
    apart = [Passage([replace(note, note=note.note + 7 * (number % 2)) for note in held()], 4) for number in range(8)]
    errors = [
        {row.name: row.error for row in compare({"mine": mine}, plain)}["mean pitch"]
        for mine, plain in ((alike, alike), (apart, alike), (alike, apart))
    ]
    assert errors[0] == 0
    assert all(error > 1 for error in errors[1:])


def test_the_table_shows_a_corpus_next_to_both_references(tmp_path: Path) -> None:
    for number in (1, 20):
        pop909_song(tmp_path / "in", number, bars=24)
    prepare("pop909", tmp_path / "in", tmp_path / "out")
    mine = human(corpus(tmp_path / "out" / "validation.jsonl"))
    rows = compare({"mine": mine}, mine)
    assert [row.name for row in rows] == list(NAMES)
    assert [row.lofi for row in rows] == list(LOFI.values())
    assert [row.pop for row in rows] == list(POP.values())
    words = table(rows)
    assert words.count("\n| ") == len(NAMES) + 1
    assert "gaps closed by at least 85%" in words


def test_a_corpus_without_windows_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no four bars with eight notes"):
        compare({"empty": [Passage([], 4)]}, [Passage(held(), 4)])
    with pytest.raises(SettingsError, match="not a prepared corpus"):
        corpus(tmp_path / "none.jsonl")


@pytest.mark.slow
def test_arranging_moves_pieces_toward_lofi(tmp_path: Path) -> None:
    """A short, plain, busy and loud song comes closer to lo-fi."""
    for number in range(1, 21):
        pop909_song(tmp_path / "in", number, bars=24)
    prepare("pop909", tmp_path / "in", tmp_path / "plain")
    prepare("pop909", tmp_path / "in", tmp_path / "lofi", stages=("harmony", "voicing", "sustain", "touch"), variants=3)
    plain, lofi = (human(corpus(tmp_path / name / "train.jsonl")) for name in ("plain", "lofi"))
    assert len(lofi) == 3 * len(plain) == 57
    rows = {row.name: row for row in compare({"plain": plain, "lofi": lofi}, plain)}
    for name in ("pitch classes sounding", "polyphony while sounding", "interval class 2", "velocity"):
        assert rows[name].closed("lofi") > rows[name].closed("plain"), name
    words = [json.loads(line) for line in (tmp_path / "lofi" / "validation.jsonl").read_text().splitlines()]
    assert len(words) == 1, "validation has each song once"
