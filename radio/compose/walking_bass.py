"""The walking bass: a note on every beat, with a skip now and then."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

import numpy as np

from radio.compose.bass_line import BassLine, Weights, is_in, is_root
from radio.compose.phrase import chord_at
from radio.model.bass_model import LOWEST, PITCHES
from radio.music.chords import Chord
from radio.music.events import Note
from radio.types import BEATS_PER_BAR, TICKS_PER_BEAT, Tick

COMFORTABLE, HIGHEST = 43, 50
"""Most notes are not above G2, none is above D3."""

_SHARPNESS: Final = 1.3
"""Exponent of the model's probabilities: its notes were estimated from recordings, and some are mistakes."""
_AGAIN: Final = 0.6
"""Weight of the last pitch: in the data a held note counts as one note a beat."""
_LEAP: Final = 0.8
"""Weight of each semitone beyond a third in the step that leads round to the first note."""

_OFF_BEAT: Final[Tick] = TICKS_PER_BEAT * 2 // 3
"""The swung eighth."""
_GRACE: Final[Tick] = 14
_SHORTEST_REST: Final[Tick] = 4

_SKIPS: Final = (0.03, 0.12)
"""Range of the share of beats with a skip."""
_ACCENTS: Final = (6.0, -2.0, 3.0, -3.0)
_MEAN, _SPREAD = 80.0, 3.0
_SOFTEST, _LOUDEST = 56, 104


def walking(line: BassLine, chords: Sequence[Chord], bars: int, random: Random) -> list[Note]:
    """Return a walking line of `bars` bars."""
    pitches = _pitches(line, chords, bars)
    legato = random.uniform(0.82, 0.96)
    skips = random.uniform(*_SKIPS)
    notes: list[Note] = []
    for beat, pitch in pitches.items():
        tick = beat * TICKS_PER_BEAT
        velocity = _velocity(random, beat)
        length = round(TICKS_PER_BEAT * min(max(random.gauss(legato, 0.06), 0.5), 0.97))
        note = Note(tick, tick + length, pitch, velocity)
        following = pitches.get(beat + 1)
        if following is not None and random.random() < skips:
            notes += _skip(note, following, random)
        else:
            notes.append(note)
    return notes


def _pitches(line: BassLine, chords: Sequence[Chord], bars: int) -> dict[int, int]:
    """Return the pitch on each beat that has a chord."""
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
        pitches[beat] = line.draw(weights, tick, tick + TICKS_PER_BEAT)
    return pitches


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
