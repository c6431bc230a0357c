"""Tests of the balance of the keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radio.compose.balance import keys_gain
from radio.compose.phrase import Phrase, phrase_of
from radio.music.events import Note
from radio.paths import STATIONS
from radio.settings.config import load
from radio.station.factory import open_composer
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT

CHILL = load(STATIONS).station("chill")


def chords(velocity: int = 80, notes: tuple[int, ...] = (55, 60, 64, 67)) -> Phrase:
    return phrase_of([Note(0, TICKS_PER_BAR, note, velocity) for note in notes], 1)


def line(velocity: int = 60) -> Phrase:
    half = TICKS_PER_BEAT // 2
    return phrase_of([Note(at, at + half, 67, velocity) for at in range(0, TICKS_PER_BAR, TICKS_PER_BEAT)], 1)


def test_a_line_is_raised_and_loud_chords_are_lowered() -> None:
    assert keys_gain([line()], 80) > 4
    assert keys_gain([chords(110, (55, 60, 64, 67, 71))], 80) < -1
    gains = [keys_gain([chords(velocity)], 80) for velocity in (50, 70, 90, 110)]
    assert gains == sorted(gains, reverse=True)


def test_the_gain_is_limited_and_silence_has_none() -> None:
    assert keys_gain([], 80) == keys_gain([Phrase(1, ())], 80) == 0
    assert keys_gain([line(1)], 80) == 8
    assert keys_gain([chords(127, tuple(range(50, 90)))], 80) == -8


def test_a_phrase_played_twice_has_the_same_gain() -> None:
    once = chords()
    twice = phrase_of([*once.notes, *(replace(n, start=n.start + 480, end=n.end + 480) for n in once.notes)], 2)
    assert keys_gain([twice], 80) == pytest.approx(keys_gain([once], 80), abs=0.1)
    assert keys_gain([once, once], 80) == keys_gain([once], 80)


def test_all_bars_of_a_track_have_the_same_gain() -> None:
    composer = open_composer(CHILL, 4)
    bars = [composer.next_bar(CHILL.controls) for _ in range(90)]
    tracks = {bar.track.number for bar in bars}
    assert len(tracks) > 1
    for number in tracks:
        assert len({bar.plan.mix.keys_db for bar in bars if bar.track.number == number}) == 1
