"""Stage `voicing`: each strike gets the tones that a pianist would choose for its chord.

A strike that opens a chord is voiced in full: mostly a bass note, then two or three tones of the chord, the placement
that moves least from the voicing before. Every other strike is one or two tones that follow the contour of the song's
own top line. Below C3 nothing but a single note sounds.
Source: Levine, "The Jazz Piano Book", chapters 3, 7 and 17 (guide tones, left-hand voicings, spread).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise, product
from random import Random
from typing import TypeVar

from radio.music.chords import INTERVALS, Chord
from radio.music.events import Note
from radio.types import BEATS_PER_BAR, TICKS_PER_BEAT, Tick
from train.corpus.piece import Piece

_Choice = TypeVar("_Choice", str, int)

BASS_LOW = 45
UPPER_LOW, UPPER_HIGH = 55, 76
TOP_LOW, TOP_HIGH = 60, 84
MIDDLE = 65.0
PAIRS = 0.15
"""Share of melodic strikes, of those with several notes in the song, that get a second tone below."""
LIFT = 7
"""Semitones that lo-fi keyboards lie above pop accompaniments (mean pitch 64 against 57)."""

_BASSES = (("root", 53), ("fifth", 22), ("third", 15), ("rootless", 10))
_SIZES = ((2, 85), (3, 15))
_WEIGHTS = {0: 22, 2: 88, 3: 160, 4: 62, 5: 24, 6: 20, 7: 36, 8: 24, 9: 80, 10: 36, 11: 44}
"""Interval above the root → how much it is wanted in the right hand."""

Pitches = tuple[int, ...]


def voiced(piece: Piece, random: Random) -> Piece:
    """`piece` with every strike voiced anew; when notes are struck and their velocities stay."""
    if not piece.chords:
        return piece
    onsets: dict[Tick, list[Note]] = {}
    for note in piece.notes:
        onsets.setdefault(note.start, []).append(note)
    result: list[Note] = []
    upper: Pitches = (59, 64, 67)
    top = 67
    opened: tuple[int, Chord] | None = None
    for start, struck in sorted(onsets.items()):
        beat = min(start // TICKS_PER_BEAT, len(piece.chords) - 1)
        chord = piece.chords[beat]
        velocity = round(sum(note.velocity for note in struck) / len(struck))
        end = max(note.end for note in struck)
        if opened != (beat // BEATS_PER_BAR, chord):
            opened = (beat // BEATS_PER_BAR, chord)
            bass = _bass(chord, random)
            upper = _upper(chord, upper, bass, random)
            top = upper[-1]
            pitches = (*bass, *upper)
        else:
            top = _line(chord, max(note.note for note in struck) + LIFT, top)
            pitches = _pair(chord, top) if len(struck) > 1 and random.random() < PAIRS else (top,)
        result += [Note(start, end, pitch, velocity) for pitch in pitches]
    return replace(piece, notes=sorted(result))


def _intervals(chord: Chord) -> tuple[int, ...]:
    """Semitones above the root that may sound; where no chord is known, an open fifth."""
    return INTERVALS[chord.quality] or (0, 7)


def _drawn(choices: Sequence[tuple[_Choice, int]], random: Random) -> _Choice:
    return random.choices([each for each, _ in choices], [weight for _, weight in choices])[0]


def _bass(chord: Chord, random: Random) -> Pitches:
    """One low note, mostly the root, or none."""
    intervals = _intervals(chord)
    role = _drawn(_BASSES, random)
    if role == "rootless" and len(intervals) > 3:
        return ()
    above = {"fifth": intervals[2:3], "third": intervals[1:2]}.get(role, ())
    pitch_class = (chord.root + (above[0] if above and len(intervals) > 2 else 0)) % 12
    return (BASS_LOW + (pitch_class - BASS_LOW) % 12,)


def _upper(chord: Chord, before: Pitches, bass: Pitches, random: Random) -> Pitches:
    """Two or three tones of the right hand, the placement that moves least from the one before."""
    taken = {pitch % 12 for pitch in bass}
    pool = [each for each in _intervals(chord) if (chord.root + each) % 12 not in taken] or [0]
    size = min(len(pool), _drawn(_SIZES, random) + (not bass))
    chosen: set[int] = set()
    while len(chosen) < size:
        chosen.add(random.choices(pool, [_WEIGHTS.get(each, 10) for each in pool])[0])
    floor = max(UPPER_LOW, bass[0] + 3) if bass else UPPER_LOW - 5
    classes = frozenset((chord.root + each) % 12 for each in chosen)

    def cost(pitches: Pitches) -> float:
        moves = sum(min(abs(pitch - other) for other in before) for pitch in pitches)
        return moves + 0.6 * abs(sum(pitches) / len(pitches) - MIDDLE)

    return min(_placements(classes, floor), key=cost)


@cache
def _placements(classes: frozenset[int], floor: int) -> tuple[Pitches, ...]:
    """Every way to lay the pitch classes out above `floor`, within a tenth, no two a semitone apart where avoidable."""
    places = [[p for p in range(floor, UPPER_HIGH + 1) if p % 12 == each] for each in sorted(classes)]
    found = [tuple(sorted(each)) for each in product(*places)]
    playable = [each for each in found if each[-1] - each[0] <= 16]
    clear = [each for each in playable if all(high - low > 1 for low, high in pairwise(each))]
    return tuple(clear or playable or found)


def _line(chord: Chord, aim: int, last: int) -> int:
    """The tone of the chord nearest to the contour; standing still costs a little."""
    tones = chord.tones or frozenset({chord.root, (chord.root + 7) % 12})
    candidates = [pitch for pitch in range(TOP_LOW, TOP_HIGH + 1) if pitch % 12 in tones]
    return min(candidates, key=lambda p: abs(p - aim) + 0.9 * abs(p - last) + 2.0 * (p == last))


def _pair(chord: Chord, top: int) -> Pitches:
    """`top` with the tone of the chord a third to a sixth below it, or alone."""
    below = [pitch for pitch in range(top - 9, top - 2) if pitch % 12 in chord.tones]
    return (below[-1], top) if below else (top,)
