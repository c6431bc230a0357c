"""Chord progressions in the Roman numerals of free-midi-chords' `progressions.json`, parsed into chords.

Numerals are degrees of the major scale, or of the natural minor scale in mode `minor`. Lowercase numerals are minor
triads, or diminished ones if the scale has a diminished triad. `7` adds the seventh of the key. Progressions of mode
`modal` mix major and minor: their degrees are of the major scale, and their mode is that of the tonic.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from radio.errors import SettingsError
from radio.music.chords import Chord

MAJOR_SCALE: Final = (0, 2, 4, 5, 7, 9, 11)
MINOR_SCALE: Final = (0, 2, 3, 5, 7, 8, 10)
RELATIVE: Final = 9
"""The tonic of a minor loop in semitones above C: loops are written in C major or A minor."""

_DEGREES: Final = {"I": 0, "II": 1, "III": 2, "IV": 3, "V": 4, "VI": 5, "VII": 6}
_NUMERAL: Final = re.compile(r"([b#]?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(.*)")
_SUFFIXES: Final = {
    "M": "maj", "m": "min", "5": "maj", "dim": "dim", "dom7": "dom7", "M7": "maj7", "m7": "min7", "9": "dom7",
    "add9": "maj9", "madd9": "min9", "m9": "min9", "6": "6", "M6": "6", "69": "6", "sus2": "sus", "sus4": "sus",
    "M-5": "dom7",
}  # fmt: skip
"""Suffixes with their own quality. `M-5` occurs before IV, as a dominant seventh with a flat fifth."""


def mode_of(mode: str, numerals: Sequence[str]) -> str:
    """Return `major` or `minor`: `mode` itself, or for a modal progression that of its first tonic chord.

    Without a tonic chord, flat thirds or sixths, or a minor fourth or fifth, indicate minor.
    """
    if mode in ("major", "minor"):
        return mode
    for numeral in numerals:
        accidental, degree, ending = _split(numeral)
        if not accidental and degree.upper() == "I":
            return "minor" if degree == "i" or ending.startswith("m") else "major"
    dark = {"bIIIM", "bVIM", "ivm", "vm", "biii"}
    return "minor" if dark & set(numerals) else "major"


def chords_of(mode: str, numerals: Sequence[str]) -> list[Chord]:
    """Return the chords in C major or A minor. Raises SettingsError for an unknown numeral."""
    minor = mode_of(mode, numerals) == "minor"
    scale = MINOR_SCALE if mode == "minor" else MAJOR_SCALE
    return [_chord(numeral, scale, RELATIVE if minor else 0) for numeral in numerals]


def _split(numeral: str) -> tuple[str, str, str]:
    match = _NUMERAL.fullmatch(numeral)
    if match is None:
        raise SettingsError(f"'{numeral}' is not a Roman numeral")
    return match[1], match[2], match[3]


def _chord(numeral: str, scale: Sequence[int], tonic: int) -> Chord:
    accidental, degree, ending = _split(numeral)
    step = scale[_DEGREES[degree.upper()]] + {"b": -1, "#": 1, "": 0}[accidental]
    root = (tonic + step) % 12
    minor = degree.islower()
    if ending == "m6":  # has the tones of the half-diminished seventh a minor third below
        return Chord((root - 3) % 12, "hdim7")
    if ending == "":
        diminished = minor and (step + 6) % 12 in scale and (step + 7) % 12 not in scale
        return Chord(root, "hdim7" if diminished else "min" if minor else "maj")
    if ending == "7":
        return Chord(root, "min7" if minor else "maj7" if (step + 11) % 12 in scale else "dom7")
    if ending not in _SUFFIXES:
        raise SettingsError(f"'{numeral}': unknown ending '{ending}'; use 7, {', '.join(_SUFFIXES)} or m6")
    quality = _SUFFIXES[ending]
    if minor:
        quality = {"maj9": "min9", "maj": "min", "6": "min7"}.get(quality, quality)
    return Chord(root, quality)
