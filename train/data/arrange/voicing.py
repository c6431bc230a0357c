"""Stage `voicing`: give each onset tones that a pianist would choose for its chord.

An onset that opens a chord is voiced in full: usually a bass note, then two or three tones of the chord in the
placement that moves least from the previous voicing. Every other onset has one or two tones that follow the contour of
the song's top line. Below C3 there is at most a single note. Source: Levine, "The Jazz Piano Book", chapters 3, 7 and
17 (guide tones, left-hand voicings, spread).
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
"""Share of melodic onsets, among those with several notes in the song, that get a second tone below."""
LIFT = 9
"""Semitones by which lo-fi keyboards are higher than pop accompaniments (mean pitch 64 against 57)."""

_BASSES: dict[int, tuple[tuple[str, int], ...]] = {
    4: (("root", 60), ("fifth", 10), ("third", 20), ("rootless", 10)),
    3: (("root", 60), ("fifth", 12), ("third", 18), ("rootless", 10)),
    0: (("root", 82), ("fifth", 8), ("rootless", 10)),
}
"""The chord's third in semitones, or 0 → the roles of the bass note, with weights."""

_SIZES = ((2, 88), (3, 12))
_AVOIDED = {0: 3.0, 1: 3.0, 6: 2.0, 8: 3.0}
"""Interval above the lowest note → semitones of detour that the top line takes to avoid it."""

LEAN = 0.3
"""Semitones of detour that the top line takes for each missing beat of an interval."""

SECTION_BARS, LOOP_BARS = 16, 4
"""Within a section, a chord at the same place in the loop always has the same tones."""

PASSING = 1.5
"""The bonus of a passing tone, in semitones of detour: a tone of the scale off the beat, reached by step."""

LEAP = 6.0
"""The cost of leaving a passing tone by a leap."""

_MAJOR = frozenset({0, 2, 4, 5, 7, 9, 11})

Pitches = tuple[int, ...]


def voice(piece: Piece, random: Random) -> Piece:
    """Voice every onset of `piece`; onsets and velocities stay."""
    if not piece.chords:
        return piece
    onsets: dict[Tick, list[Note]] = {}
    for note in piece.notes:
        onsets.setdefault(note.start, []).append(note)
    voicer = _Voicer(piece.chords, random)
    result = []
    strikes = sorted(onsets.items())
    for number, (start, struck) in enumerate(strikes):
        velocity = round(sum(note.velocity for note in struck) / len(struck))
        end = max(note.end for note in struck)
        until = strikes[number + 1][0] if number + 1 < len(strikes) else start + TICKS_PER_BEAT
        result += [Note(start, end, pitch, velocity) for pitch in voicer.play(start, until, struck)]
    return replace(piece, notes=sorted(result))


class _Voicer:
    """The state of the hands: the previous voicing, and the tones chosen for each chord so far."""

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
        """Return the pitches for the onset at `start`.

        Args:
            until: The start of the next onset.
            struck: The song's notes at this onset.
        """
        beat = min(start // TICKS_PER_BEAT, len(self._chords) - 1)
        chord, section, end = self._chords[beat], beat // (SECTION_BARS * BEATS_PER_BAR), self._ends[beat]
        if self._opened != (beat // BEATS_PER_BAR, chord):
            self._opened = (beat // BEATS_PER_BAR, chord)
            bass, upper = self._opening(chord, (section, beat % (LOOP_BARS * BEATS_PER_BAR)))
            self._top, self._lowest = upper[-1], (*bass, *upper)[0]
        else:
            aim = max(note.note for note in struck) + LIFT
            free = start % TICKS_PER_BEAT != 0 and self._top % 12 in chord.tones
            self._top = _next_top(chord, aim, self._top, self._detour, self._scales[section] if free else frozenset())
            paired = len(struck) > 1 and self._random.random() < PAIRS
            bass, upper = (), _add_second(chord, self._top) if paired else (self._top,)
        self._balance.add(self._lowest, upper[:-1], end - start)
        self._balance.add(self._lowest, upper[-1:], min(until, end) - start)
        return (*bass, *upper)

    def _opening(self, chord: Chord, where: tuple[int, int]) -> tuple[Pitches, Pitches]:
        """Return bass and right hand for an onset that opens a chord. `where` is section and beat of the loop."""
        if (chord, *where) not in self._recalled:
            bass = _bass(chord, self._random)
            self._recalled[chord, *where] = (bass, _tones(chord, bass, self._balance, self._random))
        bass, tones = self._recalled[chord, *where]
        self._upper = _lead_voices(self._upper, bass, tones)
        return bass, self._upper

    def _detour(self, pitch: int) -> float:
        """Return the detour in semitones that the top line takes to avoid `pitch`; below 0, to reach it."""
        interval = (pitch - self._lowest) % 12
        return _AVOIDED.get(interval, 0.0) - LEAN * self._balance.owed(interval)


def _intervals(chord: Chord) -> tuple[int, ...]:
    """Return the semitones of the chord's tones above its root; an open fifth if no chord is known."""
    return INTERVALS[chord.quality] or (0, 7)


def _draw(choices: Sequence[tuple[_Choice, int]], random: Random) -> _Choice:
    return random.choices([choice for choice, _ in choices], [weight for _, weight in choices])[0]


def _bass(chord: Chord, random: Random) -> Pitches:
    """Return a low note, usually the root, or none."""
    intervals = _intervals(chord)
    third, fifth = (
        next((interval for interval in intervals if interval in choices), 0) for choices in ({3, 4}, {6, 7, 8})
    )
    role = _draw(_BASSES[third], random)
    if role == "rootless" and len(intervals) > 3:
        return ()
    pitch_class = (chord.root + {"third": third, "fifth": fifth}.get(role, 0)) % 12
    return (BASS_LOW + (pitch_class - BASS_LOW) % 12,)


def _tones(chord: Chord, bass: Pitches, balance: Balance, random: Random) -> frozenset[int]:
    """Return two or three pitch classes of the chord for the right hand, without that of the bass.

    Intervals are counted from the bass, or from the root if there is no bass.
    """
    above = (bass[0] if bass else chord.root) - chord.root
    pool = [interval for tone in _intervals(chord) if (interval := (tone - above) % 12)]
    size = min(len(pool), _draw(_SIZES, random) + (not bass))
    chosen: set[int] = set()
    while len(chosen) < size:
        chosen.add(random.choices(pool, [balance.weight(interval) for interval in pool])[0])
    return frozenset((chord.root + above + interval) % 12 for interval in chosen)


def _lead_voices(before: Pitches, bass: Pitches, tones: frozenset[int]) -> Pitches:
    """Return the placement of `tones` that moves least from `before` without leaving the middle."""
    floor = max(UPPER_LOW, bass[0] + 3) if bass else UPPER_LOW - 5

    def cost(pitches: Pitches) -> float:
        moves = sum(min(abs(pitch - other) for other in before) for pitch in pitches)
        return moves + 0.6 * abs(sum(pitches) / len(pitches) - MIDDLE)

    return min(_placements(tones, floor), key=cost)


@cache
def _placements(classes: frozenset[int], floor: int) -> tuple[Pitches, ...]:
    """Return the placements of pitch classes above `floor`, within a tenth, without semitones where possible."""
    octaves = [[pitch for pitch in range(floor, UPPER_HIGH + 1) if pitch % 12 == name] for name in sorted(classes)]
    placements = [tuple(sorted(pitches)) for pitches in product(*octaves)]
    playable = [pitches for pitches in placements if pitches[-1] - pitches[0] <= 16]
    clear = [pitches for pitches in playable if all(high - low > 1 for low, high in pairwise(pitches))]
    return tuple(clear or playable or placements)


def _next_top(chord: Chord, aim: int, last: int, detour: Callable[[int], float], scale: frozenset[int]) -> int:
    """Return the next tone of the top line.

    It is near the song's contour `aim` and the last tone, and belongs to the chord or, as a passing tone, to `scale`.
    After a passing tone the line continues by step.

    Args:
        detour: The cost in semitones of each pitch.
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


def _add_second(chord: Chord, top: int) -> Pitches:
    """Return `top` with the chord tone a third to a sixth below it, or only `top` if there is none."""
    below = [pitch for pitch in range(top - 9, top - 2) if pitch % 12 in chord.tones]
    return (below[-1], top) if below else (top,)
