"""Features of keyboard parts, measured on windows of four bars with at least eight notes.

Sounding notes are sampled every quarter of a beat.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.music.events import Note
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT, Tick
from train.metrics.passage import Passage
from train.metrics.pitch import entropy
from train.metrics.repetition import jaccard, struck

WINDOW_BARS: Final = 4
FEWEST_NOTES: Final = 8
SAMPLE: Final[Tick] = TICKS_PER_BEAT // 4
CLASSES: Final = (2, 3, 4, 5, 7, 9, 10, 11)
"""The measured interval classes above the lowest sounding note, in semitones."""

NAMES: Final = (
    "notes a beat", "onsets a beat", "polyphony", "polyphony, SD", "pitch classes", "share of silence", "mean pitch",
    "pitch, SD", "lowest pitch", "highest pitch", "pitch-class entropy", "velocity", "velocity spread",
    "similarity of bars", "most alike bars", "off the sixteenths", "median note length, beats",
    "polyphony while sounding", "pitch classes sounding", *(f"interval class {semitones}" for semitones in CLASSES),
)  # fmt: skip
"""`polyphony` and `pitch classes` are means over all samples, including silence; those with `sounding` exclude it."""

Features = npt.NDArray[np.float64]
"""The features of a window, in the order of `NAMES`. Interval classes are shares of all sounding notes."""


def windows(passage: Passage) -> Iterator[Sequence[Note]]:
    """Yield the notes of each whole window with enough notes. Notes end with their window."""
    return (cut.notes for cut in passage.cut(WINDOW_BARS) if len(cut.notes) >= FEWEST_NOTES)


def chosen(names: Sequence[str], rows: Features) -> Features:
    """Return the columns of (windows, features) for the features `names`."""
    selected: Features = rows[..., [NAMES.index(name) for name in names]]
    return selected


def features(window: Sequence[Note], late: Sequence[float] | None = None) -> Features:
    """Return the features of one window.

    Args:
        window: Notes on their written ticks.
        late: Ticks by which each note sounds after its written start; None measures the notes as written.
    """
    beats = WINDOW_BARS * TICKS_PER_BAR / TICKS_PER_BEAT
    pitches = np.array([note.note for note in window])
    velocities = np.array([note.velocity for note in window])
    samples = np.zeros((WINDOW_BARS * TICKS_PER_BAR // SAMPLE, 128), bool)
    for note in window:
        samples[-(-note.start // SAMPLE) : -(-note.end // SAMPLE), note.note] = True
    voices = samples.sum(axis=1)
    sounding = samples[voices > 0]
    classes = np.zeros(12)
    distinct = []
    for row in sounding:
        sounding_pitches = np.flatnonzero(row)
        classes += np.bincount((sounding_pitches - sounding_pitches[0]) % 12, minlength=12)
        distinct.append(len(set(sounding_pitches % 12)))
    shares = classes / max(1.0, classes.sum())
    alike = [jaccard(one, other) for one, other in combinations(struck(window, WINDOW_BARS), 2) if one or other]
    starts = np.array([note.start for note in window]) + (0.0 if late is None else np.array(late))
    sixteenths = starts / SAMPLE
    return np.array(
        [
            len(window) / beats,
            len({note.start for note in window}) / beats,
            voices.mean(),
            voices.std(),
            sum(distinct) / len(samples),
            1 - len(sounding) / len(samples),
            pitches.mean(),
            pitches.std(),
            pitches.min(),
            pitches.max(),
            entropy(pitches % 12),
            velocities.mean(),
            velocities.std(),
            np.mean(alike) if alike else 0.0,
            max(alike, default=0.0),
            np.abs(sixteenths - np.rint(sixteenths)).mean(),
            np.median([note.end - note.start for note in window]) / TICKS_PER_BEAT,
            sounding.sum() / max(1, len(sounding)),
            np.mean(distinct) if distinct else 0.0,
            *shares[list(CLASSES)],
        ]
    )
