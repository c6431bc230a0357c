"""Rules for chord loops, in C major or A minor. The chord model proposes loops, and these rules accept or reject them.

Source of the rules: Mark Levine, "The Jazz Piano Book" (1989). Secondary dominants and their substitutes resolve down a
fifth or a semitone, and passing diminished chords by a semitone; chords are borrowed from the parallel minor.
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
"""Qualities of passing chords, which are allowed only in the second half of a bar, for half a bar."""

LENGTHS: Final = (1, 2, 4)
"""Allowed lengths of a chord in half bars; chords of a bar or more begin on a bar line."""

_FOREIGN: Final = 0.5
"""Largest share of a loop that may be outside the key."""

_BUSIEST: Final = 1.5
"""Most chords per bar, averaged over a loop."""


def faults(loop: Loop, mode: Mode) -> int:
    """Return the number of rules that a repeated loop breaks; a loop with 0 is accepted."""
    return sum(1 for _ in _faults(loop, mode))


def signature(loop: Loop) -> tuple[tuple[int, int], ...]:
    """Return the roots and their lengths in beats, regardless of where the loop begins.

    Loops with the same signature sound similar.
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
        yield "fewer than four chords"
    if len(chords) > _BUSIEST * loop.bars:
        yield "too many chords"
    if chords[0].root == chords[-1].root:
        yield "ends on its first root"
    if not any((chord.root, chord.quality) in _TONIC[mode] for chord in chords):
        yield "no tonic"
    foreign = sum((chord.root, chord.quality) not in _AT_HOME for chord in loop.halves)
    if foreign > _FOREIGN * len(loop.halves):
        yield "mostly outside the key"
    place = 0
    for number, (chord, beats) in enumerate(spans):
        if chord.quality not in ALLOWED[chord.root]:
            yield "chord that is not allowed"
        halves = beats * HALVES // BEATS_PER_BAR
        if halves not in LENGTHS or (halves > 1 and place % BEATS_PER_BAR):
            yield "chord of another length, or a long one off the bar line"
        passes = chord.quality in PASSING and (halves > 1 or place % BEATS_PER_BAR == 0)
        if passes or (chord.quality == "dom7" and halves > HALVES):
            yield "passing chord that is held, or on the bar line"
        if not resolves(chord, chords[(number + 1) % len(chords)]):
            yield "unresolved chord"
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
