from __future__ import annotations

from copy import deepcopy

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.compose.grammar import Grammar, Limits
from radio.music.parts import DRUMS, PIANO, Part
from radio.music.vocab import is_control, note_token, parse_note_token, wait_ticks, wait_token
from train.data.vocabulary import known_tokens

PARTS = st.sampled_from([PIANO, DRUMS])


def walk(part: Part, seed: int, until: int, *, must_strike: bool = False) -> list[int]:
    """Draw tokens uniformly from those that the grammar allows, up to tick `until`."""
    tokens = known_tokens(part)
    grammar = Grammar(part, tokens)
    generator = np.random.default_rng(seed)
    tokens_drawn = []
    struck = not must_strike
    while grammar.tick < until:
        rows = np.flatnonzero(grammar.allowed(until, must_strike=not struck))
        token = tokens[generator.choice(rows)]
        struck |= grammar.take(token)
        tokens_drawn.append(token)
    assert grammar.tick == until, "a wait crossed the tick of the next control tokens"
    return tokens_drawn


@settings(max_examples=50)
@given(PARTS, st.integers(0, 10**6))
def test_allowed_tokens_are_valid_music_and_end_on_the_given_tick(part: Part, seed: int) -> None:
    sounding: set[int] = set()
    at_this_tick: list[tuple[bool, int]] = []
    for token in walk(part, seed, 480):
        assert not is_control(token)
        assert token > 2
        if wait_ticks(token):
            at_this_tick = []
            continue
        note, velocity_bin = parse_note_token(token)  # type: ignore[misc]
        assert part.low <= note <= part.high
        at_this_tick.append((velocity_bin > 0, note))
        assert at_this_tick == sorted(set(at_this_tick)), "releases before strikes, each in ascending order, none twice"
        if not part.note_offs:
            assert velocity_bin
        elif velocity_bin:
            assert note not in sounding
            sounding.add(note)
            assert len(sounding) <= Limits().voices
        else:
            sounding.remove(note)


@settings(max_examples=30)
@given(PARTS, st.integers(0, 10**6))
def test_a_required_strike_comes_before_the_first_wait(part: Part, seed: int) -> None:
    tokens = walk(part, seed, 120, must_strike=True)
    first_wait = next(place for place, token in enumerate(tokens) if wait_ticks(token))
    assert any(parse_note_token(token) for token in tokens[:first_wait])


def test_with_all_voices_sounding_only_releases_are_allowed() -> None:
    tokens = known_tokens(PIANO)
    grammar = Grammar(PIANO, tokens)
    for note in range(60, 60 + Limits().voices):
        grammar.take(note_token(note, 8))
    grammar.take(wait_token(5))
    allowed = {tokens[row] for row in np.flatnonzero(grammar.allowed(120, must_strike=True))}
    assert allowed == {note_token(note, 0) for note in range(60, 60 + Limits().voices)}


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_notes_beyond_the_limits_are_not_struck(seed: int) -> None:
    tokens = known_tokens(DRUMS)
    grammar = Grammar(DRUMS, tokens)
    generator = np.random.default_rng(seed)
    struck = set()
    limits = Limits(without=frozenset({42, 49}), low=36, high=50)
    while grammar.tick < 480:
        token = tokens[generator.choice(np.flatnonzero(grammar.allowed(480, limits)))]
        grammar.take(token)
        struck |= {note[0] for note in [parse_note_token(token)] if note}
    assert struck
    assert not struck & {42, 49}
    assert all(36 <= note <= 50 for note in struck)


def test_limits_bound_the_voices() -> None:
    tokens = known_tokens(PIANO)
    grammar = Grammar(PIANO, tokens)
    grammar.take(note_token(60, 8))
    grammar.take(note_token(64, 8))
    strikes = {tokens[row] for row in np.flatnonzero(grammar.allowed(120, Limits(voices=2)))}
    assert not any(parse_note_token(token) and parse_note_token(token)[1] for token in strikes)  # type: ignore[index]


def test_a_copy_is_independent() -> None:
    tokens = known_tokens(PIANO)
    grammar = Grammar(PIANO, tokens)
    grammar.take(note_token(60, 8))
    before = grammar.allowed(120)
    twin = deepcopy(grammar)
    twin.take(note_token(64, 8))
    twin.take(wait_token(30))
    assert (grammar.tick, grammar.sounding) == (0, {60: 0})
    assert np.array_equal(grammar.allowed(120), before)
    assert not np.array_equal(twin.allowed(120), before)
