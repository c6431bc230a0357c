from __future__ import annotations

import pytest

from radio.compose.loop_rules import cadence, faults, signature
from radio.music.chord_loops import parse_loop
from radio.types import Mode


@pytest.mark.parametrize(
    ("bars", "mode"),
    [
        (["Dm9", "G7", "Cmaj9", "Am7"], "major"),
        (["Fmaj9", "Em7", "Am9", "Am9"], "minor"),
        (["Cmaj7", "Bb7 A7", "Dm9", "Fm7 G7"], "major"),
        (["Am9", "Fmaj7", "Bm7b5", "E7"], "minor"),
        (["Cmaj7", "Em7", "Fmaj7 F#dim", "Gsus G7"], "major"),
        (["Am7", "Fmaj7", "Dm7", "E7"], "minor"),
    ],
)
def test_common_progressions_break_no_rule(bars: list[str], mode: Mode) -> None:
    assert faults(parse_loop(bars), mode) == 0


@pytest.mark.parametrize(
    ("bars", "mode"),
    [
        (["Cmaj7", "Cmaj7", "Am7", "Am7"], "major"),  # two roots
        (["Cmaj7", "F#maj7", "Dm7", "G7"], "major"),  # a chord that is not allowed
        (["Dm9", "G7", "Cmaj9", "Dm9"], "major"),  # ends where it begins
        (["Am9", "Dm9", "G7", "Em7"], "major"),  # never reaches the tonic
        (["Ebmaj7", "Abmaj7", "Bbmaj7", "Cmaj7"], "major"),  # mostly in another key
        (["Cmaj7", "Fmaj7", "Fmaj7", "Fmaj7"], "major"),  # hardly moves
        (["Cmaj7 Am9", "Am9", "Dm9", "G7"], "major"),  # changes off the bar line
        (["Cmaj7", "Dbdim", "Dm9", "G7"], "major"),  # rests on a passing chord
        (["Cmaj7", "A7", "Fmaj7", "G7"], "major"),  # a dominant that leads nowhere
        (["Cmaj7", "Am7", "G7", "G7"], "major"),  # rests on a dominant
        (["Cmaj7 Am7", "Dm7 G7", "Cmaj7 Am7", "Fmaj7 G7"], "major"),  # changes too often
    ],
)
def test_each_rule_refuses_a_loop(bars: list[str], mode: Mode) -> None:
    assert faults(parse_loop(bars), mode) > 0


def test_a_signature_ignores_the_start_and_the_color_of_chords() -> None:
    loop = parse_loop(["Dm9", "G7", "Cmaj9", "Am7"])
    rotated, colored = parse_loop(["Cmaj9", "Am7", "Dm9", "G7"]), parse_loop(["Dm7", "Gsus", "C6", "Am9"])
    assert signature(loop) == signature(rotated) == signature(colored)
    assert signature(loop) != signature(parse_loop(["Dm9", "G7", "Am7", "Cmaj9"]))
    assert signature(loop) != signature(parse_loop(["Dm9 G7", "Cmaj9 Am7"]))
    assert cadence(loop) == (0, 9, 2)
