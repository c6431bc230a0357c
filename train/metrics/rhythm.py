"""Metrics of rhythm, texture and form."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, Tick
from train.metrics.passage import Passage
from train.metrics.repetition import jaccard, struck

PLACE: Tick = 10
"""Notes start at multiples of this."""


def note_density(passage: Passage) -> float:
    """Return the notes struck per beat."""
    return len(passage.notes) / (passage.bars * BEATS_PER_BAR)


def polyphony(passage: Passage) -> float:
    """Return the mean number of sounding notes while any sounds (MusPy, ISMIR 2020)."""
    counts = np.zeros(passage.bars * TICKS_PER_BAR, np.int32)  # by tick
    for note in passage.notes:
        counts[note.start : note.end] += 1
    return float(counts.sum() / max(1, np.count_nonzero(counts)))


def note_length(passage: Passage) -> float:
    """Return the mean length of a note in beats."""
    return float(np.mean([note.end - note.start for note in passage.notes])) / TICKS_PER_BEAT


def pitch_range(passage: Passage) -> float:
    """Return the semitones from the lowest to the highest note."""
    return float(max(note.note for note in passage.notes) - min(note.note for note in passage.notes))


def groove_consistency(passage: Passage) -> float:
    """Return 1 − the mean share of places in the bar where only one of two neighboring bars has an onset, 0–1.

    Source: Wu and Yang, ISMIR 2020 (grooving pattern similarity); between neighbors as in MusPy.
    """
    onsets = _onsets(passage)
    return float(1 - np.mean([np.mean(one != other) for one, other in pairwise(onsets)])) if len(onsets) > 1 else 1.0


def repetition(passage: Passage, lag: int) -> float:
    """Return the mean similarity of each bar to the one `lag` bars later, 0–1.

    The similarity is the Jaccard index of the onsets, as pairs of place in the bar and pitch class.
    """
    bars = struck(passage.notes, passage.bars, modulo=12)
    pairs = [jaccard(one, other) for one, other in zip(bars, bars[lag:], strict=False) if one or other]
    return float(np.mean(pairs)) if pairs else 0.0


def _onsets(passage: Passage) -> npt.NDArray[np.bool_]:
    onsets = np.zeros((passage.bars, TICKS_PER_BAR // PLACE), bool)
    for note in passage.notes:
        onsets[note.start // TICKS_PER_BAR, note.start % TICKS_PER_BAR // PLACE] = True
    return onsets
