from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.music.chord_loops import Loop, parse_bar, parse_loop
from radio.music.chords import Chord, parse_chord
from radio.music.vocab import NAMES, QUALITIES, QUALITY_BASE, ROOT_BASE, beat_token

CHORDS = st.builds(Chord, st.integers(0, 11), st.sampled_from([quality for quality in QUALITIES if quality != "none"]))
LOOPS = (
    st.integers(1, 8)
    .flatmap(lambda bars: st.lists(CHORDS, min_size=2 * bars, max_size=2 * bars))
    .map(lambda halves: Loop(tuple(halves)))
)


def loop_from_tokens(tokens: list[int]) -> Loop:
    """Decode a loop; a chord lasts until the next one."""
    halves: list[Chord] = []
    root, chord, start_beat = 0, Chord(0, "maj"), 1
    for token in tokens:
        if token == beat_token(1):
            halves, start_beat = [*halves, chord, chord], 1
        elif token == beat_token(3):
            start_beat = 3
        elif ROOT_BASE <= token < ROOT_BASE + 12:
            root = token - ROOT_BASE
        else:
            chord = Chord(root, QUALITIES[token - QUALITY_BASE])
            halves[-2:] = [chord, chord] if start_beat == 1 else [halves[-2], chord]
    return Loop(tuple(halves))


@given(LOOPS)
def test_a_loop_survives_a_round_trip_through_tokens(loop: Loop) -> None:
    assert loop_from_tokens(loop.tokens()) == loop


@given(LOOPS)
def test_a_loop_survives_a_round_trip_through_names(loop: Loop) -> None:
    assert parse_loop(loop.names()) == loop


@given(LOOPS, st.integers(0, 11))
def test_a_loop_repeats_and_can_be_transposed_to_any_key(loop: Loop, semitones: int) -> None:
    assert loop.transposed(semitones).transposed(-semitones) == loop
    for bar in range(loop.bars):
        assert loop.beats(bar) == loop.beats(bar + loop.bars)
        assert loop.transposed(semitones).beats(bar)[0] == loop.beats(bar)[0].transposed(semitones)
    assert sum(beats for _, beats in loop.spans()) == 4 * loop.bars


def test_chord_tokens_are_written_where_a_chord_starts() -> None:
    tokens = parse_loop(["Dm9 G7", "Cmaj9", "Cmaj9"]).tokens()
    assert [NAMES[token] for token in tokens] == [
        "<b1>", "<r2>", "<q:min9>", "<b3>", "<r7>", "<q:dom7>", "<b1>", "<r0>", "<q:maj9>", "<b1>",
    ]  # fmt: skip


def test_a_chord_is_held_over_a_bar_line_but_a_loop_of_one_chord_restarts() -> None:
    loop = parse_loop(["Fmaj9", "Fmaj9", "Em7 Am9", "Am9"])
    assert [loop.is_held(bar) for bar in range(4)] == [False, True, False, True]
    assert not parse_loop(["Am7"]).is_held(1)


@pytest.mark.parametrize("bar", ["", "Dm7 G7 C", "H7", "Dm7, G7"])
def test_an_invalid_bar_is_rejected(bar: str) -> None:
    with pytest.raises(ValueError, match=r"invalid bar|unknown chord"):
        parse_bar(bar)


def test_a_bar_has_one_or_two_chords() -> None:
    assert parse_bar("Dm9") == (parse_chord("Dm9"), parse_chord("Dm9"))
    assert parse_bar("Dm9 G7") == (parse_chord("Dm9"), parse_chord("G7"))
