"""Loops of a model with random weights, which still follow the rules, and of the shipped model."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from radio.compose.loop_rules import LENGTHS, faults, signature
from radio.compose.loop_writer import Harmony, LoopWriter
from radio.compose.plan import Request
from radio.compose.track_writer import Surroundings, TrackWriter
from radio.model.engines.selection import open_engine
from radio.model.weights.checkpoint import read
from radio.music.chord_loops import HALVES, Loop, parse_loop
from radio.settings.station import StationSettings
from radio.types import MOODS, Mood
from tests.model.models import checkpoint


@cache
def untrained() -> LoopWriter:
    return LoopWriter(open_engine(checkpoint("chords")))


@cache
def shipped() -> LoopWriter:
    return LoopWriter(open_engine(read(StationSettings("any", "Any").chords)))


_drawn: dict[tuple[LoopWriter, Mood | None], list[Harmony]] = {}


def drawn(writer: LoopWriter, count: int, mood: Mood | None = None) -> list[Harmony]:
    """Return the harmonies of the first tracks, each written once for all tests."""
    harmonies = _drawn.setdefault((writer, mood), [])
    for number in range(len(harmonies), count):
        recent = [harmony.sections["A"] for harmony in harmonies[-24:]]
        harmonies.append(writer.harmony(mood, recent, (5, number)))
    return harmonies[:count]


def test_a_model_with_random_weights_writes_chords_of_allowed_lengths() -> None:
    for harmony in drawn(untrained(), 2):
        main = harmony.sections["A"]
        assert main.bars in (4, 8)
        assert all(beats // 2 in LENGTHS for _, beats in main.spans())


@pytest.mark.parametrize("mood", [None, *MOODS])
def test_loops_of_the_shipped_model_follow_the_rules_and_do_not_repeat(mood: Mood | None) -> None:
    harmonies = drawn(shipped(), 8, mood)
    broken = [
        harmony.sections["A"].names() for harmony in harmonies if faults(harmony.sections["A"], str(harmony.mode))
    ]  # type: ignore[arg-type]
    assert not broken
    assert len({signature(harmony.sections["A"]) for harmony in harmonies}) == len(harmonies)


def test_most_tracks_keep_one_loop_and_a_variant_begins_like_it() -> None:
    harmonies = drawn(shipped(), 24)
    varied = [harmony for harmony in harmonies if harmony.sections["B"] != harmony.sections["A"]]
    assert 3 <= len(varied) <= 15
    for harmony in varied:
        main, other = harmony.sections["A"], harmony.sections["B"]
        half = len(main.halves) // 2
        assert other.halves[:half] == main.halves[:half]


def test_a_configured_loop_gets_a_variant() -> None:
    loop = parse_loop(["Dm9", "G7", "Cmaj9", "Am7"])
    variant = shipped().variant(loop, (1, 2))
    assert variant != loop
    assert variant.bars == loop.bars
    assert variant.halves[:4] == loop.halves[:4]


def test_a_variant_is_written_even_if_the_rules_allow_no_root() -> None:
    """G augmented leads only to C, which the variant must not have."""
    varied = parse_loop(["Am9", "Fmaj7 Gaug", "Cmaj9", "Em7"])
    loop, _ = shipped()._draw_loop(np.random.default_rng(1), "minor", "calm", 4, varied)
    assert loop.bars == 4
    assert loop.halves[:4] == varied.halves[:4]


@pytest.mark.parametrize("writer", [shipped, untrained])
def test_a_loop_with_rests_has_no_variant_because_the_model_knows_none(writer: Callable[[], LoopWriter]) -> None:
    loop = parse_loop(["Am7", "N", "Dm7 N", "E7"])
    assert writer().variant(loop, (1, 2)) == loop


def test_loops_depend_on_the_seed() -> None:
    writer = shipped()
    assert writer.harmony("sad", (), (1, 2)) == writer.harmony("sad", (), (1, 2))
    assert writer.harmony("sad", (), (1, 2)) != writer.harmony("sad", (), (1, 3))


def test_sad_loops_are_minor_and_warm_ones_mostly_major() -> None:
    writer = shipped()
    minor = {mood: sum(harmony.mode == "minor" for harmony in drawn(writer, 10, mood)) for mood in ("warm", "sad")}
    assert minor["sad"] == 10
    assert minor["warm"] <= 5


def test_a_recent_loop_is_not_written_again() -> None:
    writer = shipped()
    first = writer.harmony(None, (), (8, 0)).sections["A"]
    again = writer.harmony(None, (first,), (8, 0)).sections["A"]
    assert signature(again) != signature(first)


def test_transposing_a_harmony_transposes_every_chord() -> None:
    harmony = Harmony("major", {"A": Loop(drawn(shipped(), 1)[0].sections["A"].halves)})
    moved = harmony.transposed(3)
    assert moved.mode == "major"
    assert moved.sections["A"].halves[0] == harmony.sections["A"].halves[0].transposed(3)
    assert HALVES * moved.sections["A"].bars == len(moved.sections["A"].halves)


def test_a_style_with_form_has_bridges_that_begin_elsewhere_and_other_styles_have_none() -> None:
    jazz = LoopWriter(open_engine(read(StationSettings("any", "Any").chords)), "jazz")
    for number in range(8):
        theme = jazz.harmony(None, (), (3, number)).sections["A"]
        bridge = jazz.variant(theme, (3, number))
        assert bridge.halves[0].root != theme.halves[0].root
        assert bridge.bars == theme.bars
    plain = LoopWriter(open_engine(read(StationSettings("any", "Any").chords)), "hiphop")
    assert plain.harmony(None, (), (5, 1)) == shipped().harmony(None, (), (5, 1))


def test_no_loop_and_no_vamp_rests_on_a_dominant() -> None:
    tracks = TrackWriter(writer=shipped(), progressions=(), keys=("C",), seed=3)
    track = None
    for _ in range(40):
        track = tracks.draw(track, Request(), Surroundings())
        for loop in track.loops.values():
            assert all(beats <= 4 for chord, beats in loop.spans() if chord.quality == "dom7")
            assert any(chord.quality != "dom7" for chord in loop.halves)
