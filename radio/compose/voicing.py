"""Voicings: the notes of a held chord, chosen so that each voice moves little from the previous chord.

Source of the rules: Mark Levine, "The Jazz Piano Book" (1989), chapters 3 and 7: thirds and sevenths define a chord,
low seconds and thirds are muddy, and good voice leading moves the nearest note.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from radio.music.chords import INTERVALS, Chord

_LOWEST: Final = 46
"""The lowest note of a voicing; only the bass plays below it."""

_MUD: Final = 55
"""Below this note, two voices must be at least a fourth apart."""


@lru_cache(maxsize=1_024)
def voicing(chord: Chord, voices: int, middle: float, reach: int = 15, before: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Return the notes of `chord` in `voices` voices, lowest first; empty if there is no chord.

    Args:
        chord: Root and quality.
        voices: Number of notes; fewer are returned if the chord has fewer within reach.
        middle: The mean pitch to aim at.
        reach: Largest distance of a note from the middle, in semitones; the voicing aims to span 1.5 times as much.
        before: The previous voicing, from which the voices should move little.
    """
    tones = chord.tones
    if not tones:
        return ()
    low = max(_LOWEST, round(middle) - reach)
    pitches = [note for note in range(low, round(middle) + reach + 1) if note % 12 in tones]
    size = min(voices, len(pitches))

    def cost(notes: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        return _cost(notes, chord, middle, reach) + _motion(notes, before), notes

    return min(set(_spread(pitches, size)), key=cost)


def _spread(pitches: Sequence[int], size: int) -> Iterator[tuple[int, ...]]:
    """Yield voicings of `size` notes for every lowest and highest note, with the others spread between them."""
    if size == 1:
        yield from ((pitch,) for pitch in pitches)
        return
    for low in range(len(pitches) - size + 1):
        for high in range(low + size - 1, len(pitches)):
            places = [low + round(voice * (high - low) / (size - 1)) for voice in range(size)]
            yield tuple(pitches[place] for place in places)
            for moved in range(1, size - 1):
                for step in (-1, 1):
                    place = places[moved] + step
                    if places[moved - 1] < place < places[moved + 1]:
                        yield tuple(pitches[p] for p in (*places[:moved], place, *places[moved + 1 :]))


def _cost(notes: tuple[int, ...], chord: Chord, middle: float, reach: int) -> float:
    """Return the cost of a voicing, regardless of the previous one."""
    classes = {note % 12 for note in notes}
    intervals = INTERVALS[chord.quality]
    color = [interval for interval in intervals if interval not in (0, 7)]
    cost = 3.0 * sum((chord.root + interval) % 12 not in classes for interval in color)
    cost += 1.0 * (chord.root not in classes)
    cost += abs(sum(notes) / len(notes) - middle) / 3 + abs(notes[-1] - notes[0] - 1.5 * reach) / 8
    for lower, upper in pairwise(notes):
        step = upper - lower
        if step == 1:
            cost += 4
        elif step < 5 and lower < _MUD:
            cost += 2
        elif step > reach / 1.6:
            cost += (step - reach / 1.6) / 2
    return cost + 2 * (len(notes) > 1 and notes[-1] - notes[-2] == 1)


def _motion(notes: Sequence[int], before: Sequence[int]) -> float:
    """Return the cost of the voices' motion, with the top voice counted twice."""
    if not before:
        return 0.0
    moves = sum(min(abs(note - other) for other in before) for note in notes)
    return 0.35 * (moves + abs(notes[-1] - before[-1]))
