"""Metrics of pitch and harmony."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from itertools import pairwise
from math import cos, log2, pi, sin
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.types import TICKS_PER_BEAT
from train.metrics.passage import Passage

_MAJOR: Final = frozenset({0, 2, 4, 5, 7, 9, 11})
_HARMONIC_MINOR: Final = frozenset({0, 2, 3, 5, 7, 8, 11})
_CONSONANT: Final = frozenset({0, 3, 4, 7, 8, 9})
_FOURTH: Final = 5
_STEP: Final = 2


def pitch_class_entropy(passage: Passage) -> float:
    """Return the entropy in bits of the struck pitch classes, 0–log2(12).

    Source: Wu and Yang, "The Jazz Transformer on the Front Line", ISMIR 2020, section 4 (H).
    """
    return entropy(note.note % 12 for note in passage.notes)


def entropy(values: Iterable[Hashable]) -> float:
    """Return the Shannon entropy in bits of the frequencies of the values."""
    counts = Counter(values)
    total = counts.total()
    return -sum(count / total * log2(count / total) for count in counts.values())


def scale_consistency(passage: Passage) -> float:
    """Return the largest share of notes in one of the 24 major and harmonic minor scales, 0–1.

    Source: Mogren, "C-RNN-GAN", 2016; as in Dong et al., "MusPy", ISMIR 2020.
    """
    counts = Counter(note.note % 12 for note in passage.notes)
    scales = [{(tonic + degree) % 12 for degree in scale} for tonic in range(12) for scale in (_MAJOR, _HARMONIC_MINOR)]
    shares = (sum(counts[pitch] for pitch in scale) for scale in scales)
    return max(shares) / counts.total()


def chord_tone_ratio(passage: Passage) -> float:
    """Return the CTnCTR of the top line: the share of chord tones, and of others within two semitones of the next note.

    Source: Yeh et al., "Automatic Melody Harmonization with Triad Chords", JNMR 2021, section 5.
    """
    line = [note for note in passage.top_line if passage.chord_at(note.start).tones]
    chordal = [note.note % 12 in passage.chord_at(note.start).tones for note in line]
    proper = sum(
        not inside and abs(following.note - note.note) <= _STEP
        for inside, (note, following) in zip(chordal, pairwise(line), strict=False)
    )
    return (sum(chordal) + proper) / len(line) if line else 1.0


def chord_tone_time(passage: Passage) -> float:
    """Return the share of note time in the current chord, beat by beat, 0–1; stricter than CTnCTR."""
    inside = total = 0
    for note in passage.notes:
        for place in range(note.start // TICKS_PER_BEAT, -(-note.end // TICKS_PER_BEAT)):
            tones = passage.chord_at(place * TICKS_PER_BEAT).tones
            if tones:
                time = min(note.end, (place + 1) * TICKS_PER_BEAT) - max(note.start, place * TICKS_PER_BEAT)
                total += time
                inside += time * (note.note % 12 in tones)
    return inside / total if total else 1.0


def pitch_consonance(passage: Passage) -> float:
    """Return the mean consonance of the top line with the chord's tones: 1 consonant, 0 a fourth, −1 dissonant.

    Consonant intervals are unison, thirds, fifth and sixths.
    Source: Yeh et al., 2021, section 5 (PCS); weighted by duration in both.
    """
    score = weight = 0.0
    for note in passage.top_line:
        tones = passage.chord_at(note.start).tones
        if not tones:
            continue
        intervals = [(note.note - tone) % 12 for tone in tones]
        values = [1.0 if interval in _CONSONANT else 0.0 if interval == _FOURTH else -1.0 for interval in intervals]
        length = note.end - note.start
        score += length * sum(values) / len(values)
        weight += length
    return score / weight if weight else 1.0


def tonal_distance(passage: Passage) -> float:
    """Return the mean distance of top line and chord in the six-dimensional tonal centroid space, by duration.

    Source: Harte, Sandler and Gasser, "Detecting Harmonic Change in Musical Audio", 2006; as MCTD in Yeh et al., 2021.
    """
    score = weight = 0.0
    for note in passage.top_line:
        tones = passage.chord_at(note.start).tones
        if tones:
            length = note.end - note.start
            chord = np.mean([_CENTROIDS[tone] for tone in tones], axis=0)
            score += length * float(np.linalg.norm(_CENTROIDS[note.note % 12] - chord))
            weight += length
    return score / weight if weight else 0.0


def _centroids() -> npt.NDArray[np.float64]:
    """Return the pitch classes on the circles of fifths, minor and major thirds, (12, 6), with radii 1, 1 and 0.5."""
    circles = ((7 * pi / 6, 1.0), (3 * pi / 2, 1.0), (2 * pi / 3, 0.5))
    return np.array(
        [[radius * turn(pitch * angle) for angle, radius in circles for turn in (sin, cos)] for pitch in range(12)]
    )


_CENTROIDS: Final = _centroids()
