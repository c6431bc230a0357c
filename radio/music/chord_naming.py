"""Chords from sounding notes: extending a labeled triad, and naming an unlabeled chord."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.music.chords import INTERVALS, NO_CHORD, Chord
from radio.music.events import Note

PRESENT = 0.08
"""Smallest share of the sounding time that makes a pitch class part of the chord."""

Times = npt.NDArray[np.float64]
"""Sounding times of pitch classes, one row per span; shape (spans, 12)."""

CHORDS: Final = [Chord(root, quality) for quality in INTERVALS if quality != "none" for root in range(12)]
"""All chords that have tones."""
_INSIDE: Final = np.array([[float(pitch in chord.tones) for pitch in range(12)] for chord in CHORDS])
_ROOTS: Final = np.array([chord.root for chord in CHORDS])
_SIZES: Final = np.array([len(INTERVALS[chord.quality]) for chord in CHORDS])


def pitch_class_times(notes: Sequence[Note], edges: Sequence[int]) -> Times:
    """Return the number of ticks that each of the twelve pitch classes sounds between successive `edges`, in order.

    The cost depends on the numbers of notes and edges, not on the lengths of notes.
    """
    ticks = np.asarray(edges, np.float64)
    until = np.zeros((len(ticks), 12))
    for pitch in range(12):
        sounding = [note for note in notes if note.note % 12 == pitch]
        for sign, times in ((1, [note.start for note in sounding]), (-1, [note.end for note in sounding])):
            ordered = np.sort(np.array(times, np.float64))
            sums = np.concatenate([[0.0], np.cumsum(ordered)])
            passed = np.searchsorted(ordered, ticks)
            until[:, pitch] += sign * (passed * ticks - sums[passed])
    return np.diff(until, axis=0)


def refine(chord: Chord, time: Sequence[int]) -> Chord:
    """Return `chord` with the seventh and ninth that sound: maj → maj7, dom7, maj9 or 6; min → min7 or min9."""
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


def estimate_chords(times: Times) -> list[Chord]:
    """Return, for each span, the chord with the most sounding time inside it and the least outside.

    Larger chords are penalized slightly. A silent span has no chord.
    """
    scores = chord_scores(times)
    return [
        CHORDS[best] if total and scores[span, best] > 0 else NO_CHORD
        for span, (best, total) in enumerate(zip(scores.argmax(axis=1).tolist(), times.sum(axis=1), strict=True))
    ]


def chord_scores(times: Times) -> Times:
    """Return the fit of each chord of `CHORDS` to each span, at most 1; shape (spans, chords)."""
    shares = times / np.maximum(times.sum(axis=1, keepdims=True), 1e-9)
    scores: Times = 2 * shares @ _INSIDE.T - 1 - 0.05 * _SIZES + 0.1 * shares[:, _ROOTS]
    return scores
