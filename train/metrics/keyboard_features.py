"""Features of keyboard parts in which lo-fi loops differ from pop piano.

A window is four bars with at least eight notes. Sounding notes are sampled every quarter of a beat.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from radio.music.events import Note
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT, Tick
from train.metrics.passage import Passage

WINDOW_BARS = 4
FEWEST_NOTES = 8
SAMPLE: Tick = TICKS_PER_BEAT // 4
CLASSES = (2, 3, 4, 5, 7, 9, 10, 11)
"""The measured interval classes above the lowest sounding note, in semitones."""

NAMES = (
    "notes a beat", "onsets a beat", "polyphony", "pitch classes sounding", "median note length, beats",
    "share of silence", "mean pitch", "lowest pitch", "highest pitch",
    *(f"interval class {semitones}" for semitones in CLASSES), "velocity", "velocity spread",
)  # fmt: skip

Features = npt.NDArray[np.float64]
"""The features of a window, in the order of `NAMES`. Interval classes are shares of all sounding notes."""


def windows(passage: Passage) -> Iterator[Sequence[Note]]:
    """Yield the notes of each whole window with enough notes. Notes end with their window."""
    return (cut.notes for cut in passage.cut(WINDOW_BARS) if len(cut.notes) >= FEWEST_NOTES)


def features(window: Sequence[Note]) -> Features:
    """Return the features of one window."""
    beats = WINDOW_BARS * TICKS_PER_BAR / TICKS_PER_BEAT
    pitches = np.array([note.note for note in window])
    velocities = np.array([note.velocity for note in window])
    samples = np.zeros((WINDOW_BARS * TICKS_PER_BAR // SAMPLE, 128), bool)
    for note in window:
        samples[-(-note.start // SAMPLE) : -(-note.end // SAMPLE), note.note] = True
    sounding = samples[samples.any(axis=1)]
    classes = np.zeros(12)
    distinct = []
    for row in sounding:
        sounding_pitches = np.flatnonzero(row)
        classes += np.bincount((sounding_pitches - sounding_pitches[0]) % 12, minlength=12)
        distinct.append(len(set(sounding_pitches % 12)))
    shares = classes / max(1.0, classes.sum())
    return np.array(
        [
            len(window) / beats,
            len({note.start for note in window}) / beats,
            sounding.sum() / max(1, len(sounding)),
            np.mean(distinct) if distinct else 0.0,
            np.median([note.end - note.start for note in window]) / TICKS_PER_BEAT,
            1 - len(sounding) / len(samples),
            pitches.mean(),
            pitches.min(),
            pitches.max(),
            *shares[list(CLASSES)],
            velocities.mean(),
            velocities.std(),
        ]
    )
