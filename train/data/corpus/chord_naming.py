"""Chord labels from what sounds: refine a triad to its seventh or ninth, or name a chord where there is no label."""

from __future__ import annotations

from collections.abc import Sequence

from radio.music.chords import INTERVALS, NO_CHORD, Chord
from radio.music.events import Note

PRESENT = 0.08
"""Share of the sounding time from which on a pitch class counts as part of the chord."""


def pitch_class_time(notes: Sequence[Note], start: int, end: int) -> list[int]:
    """Ticks for which each of the twelve pitch classes sounds within [start, end)."""
    time = [0] * 12
    for note in notes:
        overlap = min(note.end, end) - max(note.start, start)
        if overlap > 0:
            time[note.note % 12] += overlap
    return time


def refined(chord: Chord, time: Sequence[int]) -> Chord:
    """`chord` with the seventh and ninth that sound over it: maj → maj7, dom7, maj9 or 6; min → min7 or min9."""
    total = sum(time)
    if chord.quality == "none" or not total:
        return chord
    share = [time[(chord.root + interval) % 12] / total for interval in range(12)]
    major_seventh, minor_seventh = share[11] >= PRESENT, share[10] >= PRESENT
    ninth = share[2] >= PRESENT
    quality = chord.quality
    if quality in ("maj", "maj7") and (quality == "maj7" or (major_seventh and share[11] >= share[10])):
        quality = "maj9" if ninth else "maj7"
    elif quality == "maj" and minor_seventh:
        quality = "dom7"
    elif quality == "maj" and share[9] >= PRESENT:
        quality = "6"
    elif quality in ("min", "min7") and (quality == "min7" or minor_seventh):
        quality = "min9" if ninth else "min7"
    elif quality == "dim" and minor_seventh:
        quality = "hdim7"
    return Chord(chord.root, quality)


def estimated(time: Sequence[int]) -> Chord:
    """The chord that best explains what sounds: time in its tones less time outside, larger chords at a small cost."""
    total = sum(time)
    if not total:
        return NO_CHORD
    best, best_score = NO_CHORD, 0.0
    for quality, intervals in INTERVALS.items():
        if quality == "none":
            continue
        for root in range(12):
            chord = Chord(root, quality)
            inside = sum(time[pitch] for pitch in chord.tones) / total
            score = 2 * inside - 1 - 0.05 * len(intervals) + 0.1 * (time[root] / total)
            if score > best_score:
                best, best_score = chord, score
    return best
