"""Stage `voicing`: each strike gets the tones that a pianist would choose for its chord.

A strike that opens a chord is voiced in full: mostly a bass note, then two or three tones of the chord, the placement
that moves least from the voicing before. Every other strike is one or two tones that follow the contour of the song's
own top line. Below C3 nothing but a single note sounds.
Source: Levine, "The Jazz Piano Book", chapters 3, 7 and 17 (guide tones, left-hand voicings, spread).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise, product
from random import Random
from typing import TypeVar

from radio.music.chords import INTERVALS, Chord
from radio.music.events import Note
from radio.types import BEATS_PER_BAR, TICKS_PER_BEAT, Tick
from train.data.arrange.balance import Balance
from train.data.arrange.enrichment import tonic_of
from train.data.arrange.sustain import chord_ends
from train.data.corpus.piece import Piece

_Choice = TypeVar("_Choice", str, int)

BASS_LOW = 45
UPPER_LOW, UPPER_HIGH = 55, 76
TOP_LOW, TOP_HIGH = 60, 84
MIDDLE = 64.5
PAIRS = 0.15
"""Share of melodic strikes, of those with several notes in the song, that get a second tone below."""
LIFT = 9
"""Semitones that lo-fi keyboards lie above pop accompaniments (mean pitch 64 against 57)."""

_BASSES: dict[int, tuple[tuple[str, int], ...]] = {
    4: (("root", 60), ("fifth", 10), ("third", 20), ("rootless", 10)),
    3: (("root", 60), ("fifth", 12), ("third", 18), ("rootless", 10)),
    0: (("root", 82), ("fifth", 8), ("rootless", 10)),
}
"""The chord's third in semitones, 0 where it has none → what lies in the bass, with weights."""

_SIZES = ((2, 88), (3, 12))
_AVOIDED = {0: 3.0, 1: 3.0, 6: 2.0, 8: 3.0}
"""Interval above the lowest note → semitones of detour that the top line makes rather than sound it."""

LEAN = 0.3
"""Semitones of detour that the top line makes for each beat of an interval that is owed."""

SECTION_BARS, LOOP_BARS = 16, 4
"""Within a section, a chord at the same place of the loop is voiced with the same tones each time it comes round."""

PASSING = 1.5
"""How much a tone of the scale, foreign to the chord, is wanted, in semitones of detour: off the beat, by step."""

LEAP = 6.0
"""What leaving a passing tone by a leap costs."""

_MAJOR = frozenset({0, 2, 4, 5, 7, 9, 11})

Pitches = tuple[int, ...]


def voiced(piece: Piece, random: Random) -> Piece:
    """`piece` with every strike voiced anew; when notes are struck and their velocities stay."""
    if not piece.chords:
        return piece
    onsets: dict[Tick, list[Note]] = {}
    for note in piece.notes:
        onsets.setdefault(note.start, []).append(note)
    pianist = _Pianist(piece.chords, random)
    result = []
    strikes = sorted(onsets.items())
    for number, (start, struck) in enumerate(strikes):
        velocity = round(sum(note.velocity for note in struck) / len(struck))
        end = max(note.end for note in struck)
        until = strikes[number + 1][0] if number + 1 < len(strikes) else start + TICKS_PER_BEAT
        result += [Note(start, end, pitch, velocity) for pitch in pianist.play(start, until, struck)]
    return replace(piece, notes=sorted(result))


class _Pianist:
    """Where the hands are, and which tones they chose for a chord before."""

    def __init__(self, chords: Sequence[Chord], random: Random) -> None:
        self._chords = chords
        self._random = random
        length = SECTION_BARS * BEATS_PER_BAR
        self._scales = [
            frozenset((tonic_of(chords[start : start + length]) + degree) % 12 for degree in _MAJOR)
            for start in range(0, len(chords), length)
        ]
        self._ends = chord_ends(chords)
        self._recalled: dict[tuple[Chord, int, int], tuple[Pitches, frozenset[int]]] = {}
        self._opened: tuple[int, Chord] | None = None
        self._upper: Pitches = (59, 64, 67)
        self._lowest = 48
        self._balance = Balance()
        self._top = 67

    def play(self, start: Tick, until: Tick, struck: Sequence[Note]) -> Pitches:
        """The pitches of the strike at `start`, which the song made with the notes `struck`; the next is at `until`."""
        beat = min(start // TICKS_PER_BEAT, len(self._chords) - 1)
        chord, section, end = self._chords[beat], beat // (SECTION_BARS * BEATS_PER_BAR), self._ends[beat]
        if self._opened != (beat // BEATS_PER_BAR, chord):
            self._opened = (beat // BEATS_PER_BAR, chord)
            bass, upper = self._opening(chord, (section, beat % (LOOP_BARS * BEATS_PER_BAR)))
            self._top, self._lowest = upper[-1], (*bass, *upper)[0]
        else:
            aim = max(note.note for note in struck) + LIFT
            free = start % TICKS_PER_BEAT != 0 and self._top % 12 in chord.tones
            self._top = _line(chord, aim, self._top, self._detour, self._scales[section] if free else frozenset())
            paired = len(struck) > 1 and self._random.random() < PAIRS
            bass, upper = (), _pair(chord, self._top) if paired else (self._top,)
        self._balance.heard(self._lowest, upper[:-1], end - start)
        self._balance.heard(self._lowest, upper[-1:], min(until, end) - start)
        return (*bass, *upper)

    def _opening(self, chord: Chord, where: tuple[int, int]) -> tuple[Pitches, Pitches]:
        """Bass and right hand of a strike that opens a chord, by section and beat of the loop."""
        if (chord, *where) not in self._recalled:
            bass = _bass(chord, self._random)
            self._recalled[chord, *where] = (bass, _tones(chord, bass, self._balance, self._random))
        bass, tones = self._recalled[chord, *where]
        self._upper = _led(self._upper, bass, tones)
        return bass, self._upper

    def _detour(self, pitch: int) -> float:
        """Semitones that the top line goes out of its way to avoid `pitch`, or less than 0, to sound it."""
        interval = (pitch - self._lowest) % 12
        return _AVOIDED.get(interval, 0.0) - LEAN * self._balance.owed(interval)


def _intervals(chord: Chord) -> tuple[int, ...]:
    """Semitones above the root that may sound; where no chord is known, an open fifth."""
    return INTERVALS[chord.quality] or (0, 7)


def _drawn(choices: Sequence[tuple[_Choice, int]], random: Random) -> _Choice:
    return random.choices([each for each, _ in choices], [weight for _, weight in choices])[0]


def _bass(chord: Chord, random: Random) -> Pitches:
    """One low note, mostly the root, or none."""
    intervals = _intervals(chord)
    third, fifth = (next((each for each in intervals if each in those), 0) for those in ({3, 4}, {6, 7, 8}))
    role = _drawn(_BASSES[third], random)
    if role == "rootless" and len(intervals) > 3:
        return ()
    pitch_class = (chord.root + {"third": third, "fifth": fifth}.get(role, 0)) % 12
    return (BASS_LOW + (pitch_class - BASS_LOW) % 12,)


def _tones(chord: Chord, bass: Pitches, balance: Balance, random: Random) -> frozenset[int]:
    """Pitch classes of the right hand: two or three of the chord that the bass, or else the absent root, does not have.

    Intervals count from the bass, without one from the root.
    """
    above = (bass[0] if bass else chord.root) - chord.root
    pool = [interval for each in _intervals(chord) if (interval := (each - above) % 12)]
    size = min(len(pool), _drawn(_SIZES, random) + (not bass))
    chosen: set[int] = set()
    while len(chosen) < size:
        chosen.add(random.choices(pool, [balance.weight(each) for each in pool])[0])
    return frozenset((chord.root + above + each) % 12 for each in chosen)


def _led(before: Pitches, bass: Pitches, tones: frozenset[int]) -> Pitches:
    """The placement of `tones` that moves least from `before` and does not drift away from the middle."""
    floor = max(UPPER_LOW, bass[0] + 3) if bass else UPPER_LOW - 5

    def cost(pitches: Pitches) -> float:
        moves = sum(min(abs(pitch - other) for other in before) for pitch in pitches)
        return moves + 0.6 * abs(sum(pitches) / len(pitches) - MIDDLE)

    return min(_placements(tones, floor), key=cost)


@cache
def _placements(classes: frozenset[int], floor: int) -> tuple[Pitches, ...]:
    """Every way to lay the pitch classes out above `floor`, within a tenth, no two a semitone apart where avoidable."""
    places = [[p for p in range(floor, UPPER_HIGH + 1) if p % 12 == each] for each in sorted(classes)]
    found = [tuple(sorted(each)) for each in product(*places)]
    playable = [each for each in found if each[-1] - each[0] <= 16]
    clear = [each for each in playable if all(high - low > 1 for low, high in pairwise(each))]
    return tuple(clear or playable or found)


def _line(chord: Chord, aim: int, last: int, detour: Callable[[int], float], scale: frozenset[int]) -> int:
    """The next tone of the top line: near the contour and near the last, of the chord, or passing through `scale`,
    and not out of the way by what `detour` says.

    After a passing tone it goes on by step.
    """
    tones = chord.tones or frozenset({chord.root, (chord.root + 7) % 12})
    leap = 0.0 if last % 12 in tones else LEAP

    def cost(pitch: int) -> float:
        passing = 0.0 if pitch % 12 in tones else -PASSING
        return (
            abs(pitch - aim)
            + 0.9 * abs(pitch - last)
            + 2.0 * (pitch == last)
            + leap * (abs(pitch - last) > 2)
            + passing
            + detour(pitch)
        )

    steps = {pitch for pitch in range(last - 2, last + 3) if pitch % 12 in scale}
    pitches = range(TOP_LOW, TOP_HIGH + 1)
    return min((pitch for pitch in pitches if pitch % 12 in tones or pitch in steps), key=cost)


def _pair(chord: Chord, top: int) -> Pitches:
    """`top` with the tone of the chord a third to a sixth below it, or alone."""
    below = [pitch for pitch in range(top - 9, top - 2) if pitch % 12 in chord.tones]
    return (below[-1], top) if below else (top,)
