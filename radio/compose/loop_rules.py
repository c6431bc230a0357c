"""Rules for chord loops, in C major or A minor. The chord model proposes loops, and these rules accept or refuse them.

Source of the rules: Mark Levine, "The Jazz Piano Book" (1989): secondary dominants and their substitutes resolve a
fifth or a semitone down, passing diminished chords a semitone on; chords are borrowed from the parallel minor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from radio.music.chord_loops import HALVES, Loop
from radio.music.chords import Chord
from radio.types import BEATS_PER_BAR, Mode

ALLOWED: Final[dict[int, frozenset[str]]] = {
    root: frozenset(qualities.split())
    for root, qualities in {
        0: "maj7 maj9 6 dom7 sus",
        1: "maj7 maj9 dom7 dim",
        2: "min7 min9 dom7 hdim7 sus",
        3: "maj7 maj9 dim",
        4: "min7 min9 dom7 hdim7 sus",
        5: "maj7 maj9 6 min7 min9",
        6: "hdim7 dim",
        7: "dom7 sus aug 6 min7 min9",
        8: "maj7 maj9 dom7 dim",
        9: "min7 min9 dom7 sus",
        10: "maj7 maj9 dom7",
        11: "hdim7 dom7",
    }.items()
}
"""Qualities by root, in semitones above C: chords of the key, their dominants, and chords of the parallel minor."""

_AT_HOME: Final = frozenset(
    {
        *((root, quality) for root in (0, 5) for quality in ("maj7", "maj9", "6")),
        *((root, quality) for root in (2, 4, 9) for quality in ("min7", "min9", "sus")),
        *((7, quality) for quality in ("dom7", "sus", "6")),
        (0, "sus"),
        (11, "hdim7"),
    }
)
_TONIC: Final[dict[Mode, frozenset[tuple[int, str]]]] = {
    "major": frozenset({(0, "maj7"), (0, "maj9"), (0, "6")}),
    "minor": frozenset({(9, "min7"), (9, "min9")}),
}
_FIFTH, _UP, _DOWN = 5, 1, 11
"""Intervals from a root to the next one, in semitones upward."""

_HABITS: Final = frozenset({(4, _UP), (2, 7)})
"""Other resolutions of dominants, as root and interval: E7 to F (deceptive) and the Dorian D7 to A minor."""

PASSING: Final = frozenset({"dim", "aug"})
"""Qualities of passing chords, which may only stand on the second half of a bar, for half a bar."""

LENGTHS: Final = (1, 2, 4)
"""Allowed lengths of a chord in half bars; chords of a bar or more begin on a bar line."""

_FOREIGN: Final = 0.5
"""Largest share of the time outside the key."""

_BUSIEST: Final = 1.5
"""Most chords per bar of a loop."""


def faults(loop: Loop, mode: Mode) -> int:
    """Return the number of rules that a repeated loop breaks; 0 accepts it."""
    return sum(1 for _ in _faults(loop, mode))


def signature(loop: Loop) -> tuple[tuple[int, int], ...]:
    """Return the roots and their lengths in beats, independent of where the loop begins.

    Loops with the same signature sound alike.
    """
    spans = [(chord.root, beats) for chord, beats in loop.spans()]
    rotations = [tuple(spans[place:] + spans[:place]) for place in range(len(spans))]
    return min(rotations)


def cadence(loop: Loop) -> tuple[int, ...]:
    """Return the last two roots of a loop, followed by the first one."""
    roots = [chord.root for chord, _ in loop.spans()]
    return (*roots[-2:], roots[0])


def _faults(loop: Loop, mode: Mode) -> Iterator[str]:
    spans = list(loop.spans())
    chords = [chord for chord, _ in spans]
    if len({chord.root for chord in chords}) < 3:
        yield "fewer than three roots"
    if loop.bars > 4 and len(chords) < 4:
        yield "hardly moves"
    if len(chords) > _BUSIEST * loop.bars:
        yield "is restless"
    if chords[0].root == chords[-1].root:
        yield "ends where it begins"
    if not any((chord.root, chord.quality) in _TONIC[mode] for chord in chords):
        yield "never comes home"
    foreign = sum((chord.root, chord.quality) not in _AT_HOME for chord in loop.halves)
    if foreign > _FOREIGN * len(loop.halves):
        yield "is in another key"
    place = 0
    for number, (chord, beats) in enumerate(spans):
        if chord.quality not in ALLOWED[chord.root]:
            yield "has a chord that does not belong"
        halves = beats * HALVES // BEATS_PER_BAR
        if halves not in LENGTHS or (halves > 1 and place % BEATS_PER_BAR):
            yield "changes beside the bar"
        passes = chord.quality in PASSING and (halves > 1 or place % BEATS_PER_BAR == 0)
        if passes or (chord.quality == "dom7" and halves > HALVES):
            yield "rests on what should pass"
        if not resolves(chord, chords[(number + 1) % len(chords)]):
            yield "leads nowhere"
        place += beats


def resolves(chord: Chord, following: Chord) -> bool:
    """Return True if `chord` may be followed by `following`; stable chords may be followed by any chord."""
    motion = (following.root - chord.root) % 12
    match chord.quality:
        case "dim":
            return motion in (_UP, _DOWN)
        case "aug":
            return motion == _FIFTH
        case "hdim7":
            return motion in (_FIFTH, _UP, _DOWN, 10)
        case "dom7" if chord.root in (7, 10):  # the dominant of the key, and the backdoor dominant
            return True
        case "dom7":
            return motion in (_FIFTH, _DOWN) or (chord.root, motion) in _HABITS
    return True
