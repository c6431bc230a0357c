"""What a keyboard part is like, in figures: the features in which lo-fi loops differ from pop piano.

A window is four bars with at least eight notes; what sounds is sampled every quarter of a beat.
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
"""Interval classes above the lowest sounding note, in semitones, that are told one by one."""

NAMES = (
    "notes a beat", "onsets a beat", "polyphony", "pitch classes sounding", "median note length, beats",
    "share of silence", "mean pitch", "lowest pitch", "highest pitch",
    *(f"interval class {each}" for each in CLASSES), "velocity", "velocity spread",
)  # fmt: skip

Features = npt.NDArray[np.float64]
"""One window, in the order of `NAMES`; interval classes are shares of all that sounds, the lowest note included."""


def windows(passage: Passage) -> Iterator[Sequence[Note]]:
    """The notes of each whole window that holds enough, by where they start, cut where it ends."""
    return (cut.notes for cut in passage.cut(WINDOW_BARS) if len(cut.notes) >= FEWEST_NOTES)


def features(window: Sequence[Note]) -> Features:
    """The figures of one window."""
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
        heard = np.flatnonzero(row)
        classes += np.bincount((heard - heard[0]) % 12, minlength=12)
        distinct.append(len(set(heard % 12)))
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
