"""The bass of a band without drums: long notes where chords begin."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

import numpy as np

from radio.compose.bass_line import BassLine, is_in, is_root
from radio.compose.phrase import chord_at
from radio.music.chords import Chord
from radio.music.events import Note
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT, Tick

COMFORTABLE, HIGHEST = 41, 45
"""Most notes are at or below F2, and none is above A2."""

_SECOND_SHARE: Final = 0.3
"""Share of phrases in which a second note in the middle of a bar answers the first."""

_HALF: Final[Tick] = TICKS_PER_BAR // 2
_BREATH: Final[Tick] = 5
_ROOT: Final = 30.0
"""Factor on the model's probability of the root where a chord begins."""

_MEAN, _SPREAD = 62.0, 3.0
_SOFTEST, _LOUDEST = 44, 84


def held(line: BassLine, chords: Sequence[Chord], bars: int, random: Random) -> list[Note]:
    """Return a line of `bars` bars: a note for each chord, struck again on each bar line and held until the next."""
    answers = random.random() < _SECOND_SHARE
    onsets = [tick for tick in range(0, bars * TICKS_PER_BAR, TICKS_PER_BEAT) if _begins(chords, tick)]
    if answers:
        onsets = sorted({*onsets, *(tick + _HALF for tick in onsets if tick % TICKS_PER_BAR == 0)})
    onsets = [tick for tick in onsets if chord_at(chords, tick).tones]
    notes = []
    for tick, following in zip(onsets, [*onsets[1:], bars * TICKS_PER_BAR], strict=True):
        chord = chord_at(chords, tick)
        end = min(following, (tick // TICKS_PER_BAR + 1) * TICKS_PER_BAR) - _BREATH
        weights = line.probabilities(tick) * np.maximum(is_in(chord), 1e-3)
        if _begins(chords, tick):
            weights = weights * np.where(is_root(chord), _ROOT, 1.0)
        pitch = line.draw(weights, tick, end)
        velocity = min(max(round(random.gauss(_MEAN, _SPREAD)), _SOFTEST), _LOUDEST)
        notes.append(Note(tick, line.longest(pitch, tick, end), pitch, velocity))
    return notes


def _begins(chords: Sequence[Chord], tick: Tick) -> bool:
    return tick % TICKS_PER_BAR == 0 or chord_at(chords, tick) != chord_at(chords, tick - TICKS_PER_BEAT)
