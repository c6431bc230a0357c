"""The bass: a line over a phrase's chords, which walks, locks to the kick, or holds notes if there are no drums."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from radio.compose import groove_bass, held_bass, walking_bass
from radio.compose.bass_line import BassLine
from radio.compose.phrase import Phrase, phrase_of
from radio.model.bass_model import UNTRAINED, BassModel
from radio.music.chords import Chord
from radio.types import Tick

WALKING_STYLES: Final = frozenset({"jazz", "neworleans", "blues"})


def write_bass(
    chords: Sequence[Chord],
    bars: int,
    kicks: Sequence[frozenset[Tick]] | None,
    style: str,
    random: Random,
    *,
    model: BassModel = UNTRAINED,
    keys: Phrase | None = None,
) -> Phrase:
    """Write a bass line.

    Args:
        chords: One per beat, repeated.
        bars: Length of the line.
        kicks: For each bar of the drum loop, the ticks of the kicks from its bar line, repeated. None for a band
            without drums.
        style: Style of the drums; some styles walk in quarter notes.
        random: Generator of the phrase.
        model: Chooses the pitches.
        keys: The phrase of the keys over the same chords. The bass avoids clashes with it.
    """
    manner = held_bass if kicks is None else walking_bass if style in WALKING_STYLES else groove_bass
    line = BassLine(model, chords, random, keys, comfortable=manner.COMFORTABLE, highest=manner.HIGHEST)
    if kicks is None:
        return phrase_of(held_bass.held(line, chords, bars, random), bars)
    if style in WALKING_STYLES:
        return phrase_of(walking_bass.walking(line, chords, bars, random), bars)
    return phrase_of(groove_bass.groove(line, chords, bars, kicks, random), bars)
