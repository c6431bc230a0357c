"""The walking bass: a note on every beat, with occasional skips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from random import Random
from statistics import fmean
from typing import Final

import numpy as np

from radio.compose.bass_line import BassLine, Weights, is_in, is_root
from radio.compose.phrase import chord_at
from radio.model.bass_model import LOWEST, PITCHES
from radio.music.chords import Chord
from radio.music.events import Note
from radio.types import BEATS_PER_BAR, TICKS_PER_BEAT, Tick

COMFORTABLE, HIGHEST = 43, 50
"""Most notes are at or below G2, and none is above D3."""

ROOTS: Final = 0.27
"""Share of roots in walking lines of held-out bassists."""

_CANDIDATES: Final = 4
_SHARPNESS: Final = 1.15
"""Exponent of the model's probabilities: its notes were estimated from recordings, and some are mistakes."""
_CLASHING: Final = 0.8
"""Weight of a pitch that clashes with the keys for most of the beat."""
_LONGEST: Final[Tick] = TICKS_PER_BEAT * 29 // 30
_AGAIN: Final = 0.6
"""Weight of the previous pitch: in the data, a held note counts as one note per beat."""
_LEAP: Final = 0.8
"""Weight of each semitone beyond a third in the step from the last note back to the first."""

_OFF_BEAT: Final[Tick] = TICKS_PER_BEAT * 2 // 3
"""The swung eighth."""
_GRACE: Final[Tick] = 14
_SHORTEST_REST: Final[Tick] = 4

_SKIPS: Final = (0.03, 0.12)
"""Range of the share of beats with a skip."""
_OCTAVE: Final = 12
_ACCENTS: Final = (6.0, -2.0, 3.0, -3.0)
_MEAN, _SPREAD = 80.0, 3.0
_SOFTEST, _LOUDEST = 56, 104


def walking(line: BassLine, chords: Sequence[Chord], bars: int, random: Random) -> list[Note]:
    """Return a walking line of `bars` bars."""
    candidates = [_pitches(line, chords, bars) for _ in range(_CANDIDATES)]
    pitches = min(candidates, key=lambda pitches: _rank(pitches, chords))
    legato = random.uniform(0.82, 0.96)
    skips = random.uniform(*_SKIPS)
    notes: list[Note] = []
    for beat, pitch in pitches.items():
        tick = beat * TICKS_PER_BEAT
        velocity = _velocity(random, beat)
        length = min(round(TICKS_PER_BEAT * max(random.gauss(legato, 0.06), 0.5)), _LONGEST)
        note = Note(tick, tick + length, pitch, velocity)
        following = pitches.get(beat + 1)
        if following is not None and random.random() < skips:
            notes += _skip(note, following, random)
        else:
            notes.append(note)
    return notes


def _pitches(line: BassLine, chords: Sequence[Chord], bars: int) -> dict[int, int]:
    """Draw the pitch on each beat that has a chord."""
    line.restart()
    pitches: dict[int, int] = {}
    beats = bars * BEATS_PER_BAR
    for beat in range(beats):
        tick = beat * TICKS_PER_BEAT
        chord = chord_at(chords, tick)
        if not chord.tones:
            continue
        weights = line.probabilities(tick) ** _SHARPNESS
        if not pitches:
            weights = is_root(chord) * (line.probabilities(tick) + 1e-9)
        elif line.last is not None:
            weights[line.last - LOWEST] *= _AGAIN
        if beat == beats - 1 and 0 in pitches:
            weights = weights * _towards(pitches[0])
        if not weights.any():
            weights = is_in(chord)
        clashes = line.clashes(tick, tick + _LONGEST) > TICKS_PER_BEAT // 2
        pitches[beat] = line.draw(np.where(clashes, _CLASHING, 1.0) * weights, tick, tick + _LONGEST)
    return pitches


def _rank(pitches: Mapping[int, int], chords: Sequence[Chord]) -> float:
    """Return the cost of a line: deviation from the usual share of roots, repeated notes, leaps beyond an octave."""
    if not pitches:
        return 0.0
    roots = fmean(chord_at(chords, beat * TICKS_PER_BEAT).root == pitch % 12 for beat, pitch in pitches.items())
    steps = [abs(pitch - other) for pitch, other in pairwise(pitches.values())] or [1]
    return abs(roots - ROOTS) + 0.5 * fmean(step == 0 for step in steps) + fmean(step > _OCTAVE for step in steps)


def _towards(pitch: int) -> Weights:
    """Return weights that keep the last note of a line near its first."""
    distances = np.abs(PITCHES - pitch)
    weights: Weights = np.where(distances == 0, _AGAIN, _LEAP ** np.maximum(distances - 4, 0))
    return weights


def _skip(note: Note, following: int, random: Random) -> list[Note]:
    """Return a note with a pickup, a dead note or a slide between it and the following beat."""
    off_beat, next_beat = note.start + _OFF_BEAT, note.start + TICKS_PER_BEAT
    cut = Note(note.start, min(note.end, off_beat - _SHORTEST_REST), note.note, note.velocity)
    match random.choices(("pickup", "dead", "slide"), (0.4, 0.4, 0.2))[0]:
        case "pickup":
            pitch = random.choice((note.note, note.note, following))
            return [cut, Note(off_beat, next_beat - _SHORTEST_REST, pitch, note.velocity - random.randint(8, 16))]
        case "dead":
            return [cut, Note(off_beat, off_beat + _GRACE, note.note, random.randint(32, 44))]
        case _:
            start = next_beat - _GRACE
            below = max(LOWEST, following - 1)
            ended = Note(note.start, min(note.end, start), note.note, note.velocity)
            return [ended, Note(start, next_beat, below, note.velocity - random.randint(14, 22))]


def _velocity(random: Random, beat: int) -> int:
    velocity = random.gauss(_MEAN + _ACCENTS[beat % BEATS_PER_BAR], _SPREAD)
    return min(max(round(velocity), _SOFTEST), _LOUDEST)
