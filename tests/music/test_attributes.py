from __future__ import annotations

from radio.music.attributes import Attributes, measure
from radio.music.events import Note
from radio.music.vocab import IDS, NAMES
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT

CHORD = [Note(0, 2 * TICKS_PER_BEAT, pitch, 80) for pitch in (60, 64, 67, 72)]


def test_attributes_of_a_phrase_equal_those_counted_by_hand() -> None:
    line = [Note(TICKS_PER_BAR, TICKS_PER_BAR + TICKS_PER_BEAT, 62, 80)]
    attributes = measure([*CHORD, *line], 2)
    assert attributes.onsets == 2 / 8
    assert attributes.voices == (2 * 4 + 1 * 1) / 3, "on average while something sounds"
    assert attributes.length == (4 * 2 + 1) / 5
    assert attributes.classes == (3 + 1) / 2
    assert attributes.register == (60 + 64 + 67 + 72 + 62) / 5
    assert measure([], 4) == Attributes()


def test_a_note_that_sounds_past_the_end_is_cut_there() -> None:
    assert measure([Note(0, 99 * TICKS_PER_BAR, 60, 80)], 1).length == 4


def test_more_of_an_attribute_is_a_higher_level() -> None:
    for name, values in (("onsets", (0.1, 0.7, 5)), ("voices", (1, 2.5, 9)), ("length", (0.1, 1, 9))):
        levels = [Attributes(**{name: value}).tokens for value in values]
        assert levels == sorted(levels)
        assert [NAMES[token] for (token,) in (levels[0], levels[-1])] == [f"<{name}:0>", f"<{name}:7>"]
    assert Attributes(classes=3.4, register=61.6).tokens == (IDS["<classes:3>"], IDS["<register:62>"])
    assert Attributes().tokens == ()
