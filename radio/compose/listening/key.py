"""The key of a piece, from what its chords are in each key and from the time for which its pitch classes sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from radio.music.chords import Chord, key_name, pitch_name
from radio.types import Mode

_KINDS: Final[Mapping[str, str]] = {
    "maj": "major", "maj7": "major", "maj9": "major", "6": "major", "min": "minor", "min7": "minor", "min9": "minor",
    "dom7": "dominant", "sus": "suspended", "dim": "diminished", "hdim7": "diminished", "aug": "dominant",
}  # fmt: skip

_FUNCTIONS: Final[Mapping[str, Mapping[int, float]]] = {
    "major": {0: 3, 5: 3, 7: 1.5, 10: 0.5, 8: 0.3, 3: 0.3, 1: 0.1},
    "minor": {2: 3, 9: 3, 4: 2, 7: 0.8, 5: 0.7},
    "dominant": {7: 3, 4: 1.2, 9: 1, 2: 0.8, 0: 0.7, 10: 0.7, 1: 0.7, 11: 0.5, 5: 0.3},
    "suspended": {7: 2, 0: 1, 2: 1, 9: 0.5, 4: 0.5},
    "diminished": {11: 1.5, 6: 0.5, 1: 0.3, 8: 0.3},
}
"""Weight of a chord by its kind and the semitones of its root above the tonic of the major key, as in chord sheets of
pop and jazz: Levine, "The Jazz Theory Book" (1995), chapters 2 and 10."""

_FOREIGN: Final = -1.0
"""Weight of a chord that a key does not have."""

_SCALE: Final = (0, 2, 4, 5, 7, 9, 11)
_SCALE_WEIGHT: Final = 2.0

_SIXTH, _THIRD = 9, 4
"""Semitones from the tonic of a major key up to that of the relative minor, and to the dominant of that."""


class Key(NamedTuple):
    """A key: the tonic of the major key with its accidentals, 0–11, and the mode."""

    tonic: int
    mode: Mode

    @property
    def major(self) -> str:
        """The name of the tonic; of a minor key, that of the relative major."""
        return pitch_name(self.tonic)

    @property
    def name(self) -> str:
        """The key as musicians write it: `Eb` or `Cm`."""
        return key_name(self.major, self.mode)


def find_key(times: npt.NDArray[np.float64], chords: Sequence[Chord]) -> Key:
    """Return the key of a piece.

    Args:
        times: Sounding times of the twelve pitch classes.
        chords: One a half bar.
    """
    sounding = [chord for chord in chords if chord.tones]
    shares = times / max(times.sum(), 1e-9)

    def score(tonic: int) -> float:
        inside = float(sum(shares[(tonic + interval) % 12] for interval in _SCALE))
        return sum(weight_in(tonic, chord) for chord in sounding) / max(1, len(sounding)) + _SCALE_WEIGHT * inside

    tonic = max(range(12), key=score)
    return Key(tonic, _mode(sounding, tonic))


def weight_in(tonic: int, chord: Chord) -> float:
    """Return how usual a chord is in the major key of a tonic and its relative minor, from -1 to 3."""
    return _FUNCTIONS[_KINDS[chord.quality]].get((chord.root - tonic) % 12, _FOREIGN)


def _mode(chords: Sequence[Chord], tonic: int) -> Mode:
    """Return minor where the chord on the sixth degree, and its dominant, are heard more than that on the first."""
    weights = [2.0 if place == 0 else 1.0 for place in range(len(chords))]
    minor = major = 0.0
    for chord, weight in zip(chords, weights, strict=True):
        degree, kind = (chord.root - tonic) % 12, _KINDS[chord.quality]
        minor += weight * ((degree == _SIXTH and kind == "minor") + 0.5 * (degree == _THIRD and kind == "dominant"))
        major += weight * (degree == 0 and kind == "major")
    return "minor" if minor > major else "major"
