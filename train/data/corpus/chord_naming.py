"""Chord names from sounding notes: extend a labeled triad, or name a chord without a label."""

from __future__ import annotations

from collections.abc import Sequence

from radio.music.chords import INTERVALS, NO_CHORD, Chord
from radio.music.events import Note

PRESENT = 0.08
"""The least share of the sounding time of a pitch class that is part of the chord."""


def pitch_class_time(notes: Sequence[Note], start: int, end: int) -> list[int]:
    """Return the ticks for which each of the twelve pitch classes sounds within [start, end)."""
    time = [0] * 12
    for note in notes:
        overlap = min(note.end, end) - max(note.start, start)
        if overlap > 0:
            time[note.note % 12] += overlap
    return time


def refine(chord: Chord, time: Sequence[int]) -> Chord:
    """Extend `chord` by the seventh and ninth that sound: maj → maj7, dom7, maj9 or 6; min → min7 or min9."""
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


def estimate_chord(time: Sequence[int]) -> Chord:
    """Return the chord with the most sounding time inside and the least outside; larger chords cost a little."""
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
