"""Motifs: a few notes of a line that the piano model played, from which leads are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Final, NamedTuple

from radio.compose.phrase import Phrase, top_line
from radio.music.chords import MAJOR
from radio.music.events import Note
from radio.types import TICKS_PER_BEAT, Tick

LENGTHS: Final[Sequence[Tick]] = (TICKS_PER_BEAT // 2, TICKS_PER_BEAT, 2 * TICKS_PER_BEAT)
"""Maximum lengths of notes; each candidate draws one."""

MOTIF_BARS: Final = 2

WIDEST_STEP: Final = 5
"""Wider steps between two notes are avoided."""

SIXTEENTH: Final[Tick] = TICKS_PER_BEAT // 4

_FURTHEST: Final[Tick] = 5 * TICKS_PER_BEAT
"""Longest time from a motif's first note to its last."""


class Step(NamedTuple):
    """A note of a motif: its start from the motif's first beat, its length, and its degree above the first note."""

    start: Tick
    length: Tick
    degree: int


class Motif(NamedTuple):
    """A motif as first stated: its notes, the pitch of the first one, and the beat in ticks on which it begins."""

    steps: Sequence[Step]
    pitch: int
    beat: Tick


def draw_motif(line: Sequence[Note], size: int, scale: frozenset[int], random: Random) -> tuple[Step, ...]:
    """Return a motif of `size` consecutive notes of `line`, or of random chord tones if the line is too short."""
    places = {round(note.start / SIXTEENTH) * SIXTEENTH: note for note in line}
    notes = [replace(note, start=start) for start, note in sorted(places.items())]
    windows = [notes[first : first + size] for first in range(len(notes) - size + 1)]
    windows = [window for window in windows if window[-1].start - window[0].start <= _FURTHEST]
    if not windows:
        starts = sorted(random.sample(range(0, _FURTHEST, 2 * SIXTEENTH), size))
        windows = [[Note(start, start + SIXTEENTH, 60 + random.choice((0, 2, 4, 7)), 64) for start in starts]]
    window = random.choice(windows)
    first = window[0]
    beat = first.start // TICKS_PER_BEAT * TICKS_PER_BEAT
    ends = [note.start for note in window[1:]] + [window[-1].start + LENGTHS[-1]]
    degree, steps = 0, []
    for before, note, end in zip([first, *window], window, ends, strict=False):
        degree += _folded(scale_degree(note.note, scale) - scale_degree(before.note, scale))
        steps.append(Step(note.start - beat, min(end - note.start, LENGTHS[-1]), degree))
    return tuple(steps)


def motif_of(notes: Sequence[Note], scale: frozenset[int]) -> Motif:
    """Return the motif that notes of one voice state within the first two bars."""
    first = notes[0]
    beat = first.start // TICKS_PER_BEAT * TICKS_PER_BEAT
    degree = scale_degree(first.note, scale)
    steps = [Step(note.start - beat, note.end - note.start, scale_degree(note.note, scale) - degree) for note in notes]
    return Motif(tuple(steps), first.note, beat)


def rank_motif(line: Phrase) -> float:
    """Return the cost of a line as a source of motifs; 0 is perfect."""
    pitches = [note.note for note in top_line(line.notes)]
    steps = [abs(after - before) for before, after in pairwise(pitches)]
    return abs(len(pitches) - 9) / 3 + max(0, 4 - len(set(pitches))) + sum(step > WIDEST_STEP for step in steps) / 4


def scale_degree(pitch: int, scale: frozenset[int]) -> int:
    """Return the place of `pitch` in the scale: the number of scale tones from pitch 0 up to it."""
    ordered = sorted(scale)
    return pitch // 12 * len(ordered) + sum(tone <= pitch % 12 for tone in ordered) - 1


def scale_pitch(degree: int, scale: frozenset[int]) -> int:
    """Return the pitch at a place in the scale."""
    ordered = sorted(scale)
    return degree // len(ordered) * 12 + ordered[degree % len(ordered)]


def _folded(degrees: int) -> int:
    """Return an interval in degrees, reduced by octaves to at most four degrees."""
    octave = len(MAJOR)
    return degrees - octave * round(degrees / octave) if abs(degrees) > octave // 2 + 1 else degrees
