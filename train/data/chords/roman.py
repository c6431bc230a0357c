"""Chord progressions in Roman numerals, as `progressions.json` of free-midi-chords writes them, into chords of a loop.

Numerals count degrees of the major scale, in `minor` of the natural minor one; small ones are minor, except where the
degree of a plain triad is diminished in its scale. `7` is the seventh that the key has over that degree. Progressions
of mode `modal` mix major and minor: their degrees count from the major scale, and they are minor where their tonic is.
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
"""The tonic of a minor loop in semitones above C, for loops are written as in C major or A minor."""

_DEGREES: Final = {"I": 0, "II": 1, "III": 2, "IV": 3, "V": 4, "VI": 5, "VII": 6}
_NUMERAL: Final = re.compile(r"([b#]?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(.*)")
_SUFFIXES: Final = {
    "M": "maj", "m": "min", "5": "maj", "dim": "dim", "dom7": "dom7", "M7": "maj7", "m7": "min7", "9": "dom7",
    "add9": "maj9", "madd9": "min9", "m9": "min9", "6": "6", "M6": "6", "69": "6", "sus2": "sus", "sus4": "sus",
    "M-5": "dom7",
}  # fmt: skip
"""Endings with a quality of their own. `M-5` stands before IV, where a flat fifth is that of its dominant seventh."""


def mode_of(mode: str, numerals: Sequence[str]) -> str:
    """`major` or `minor`: the given one or, of a modal progression, that of the tonic chord that comes first.

    Without a tonic chord, flat thirds and sixths and a minor fourth or fifth tell a minor key.
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
    """The chords, as in C major or A minor. Raises SettingsError for what is not a numeral of this notation."""
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
    if ending == "m6":  # the same tones as the half-diminished seventh a third below
        return Chord((root - 3) % 12, "hdim7")
    if ending == "":
        diminished = minor and (step + 6) % 12 in scale and (step + 7) % 12 not in scale
        return Chord(root, "hdim7" if diminished else "min" if minor else "maj")
    if ending == "7":
        return Chord(root, "min7" if minor else "maj7" if (step + 11) % 12 in scale else "dom7")
    if ending not in _SUFFIXES:
        raise SettingsError(f"'{numeral}': '{ending}' is no ending of a chord; there are 7, {', '.join(_SUFFIXES)}, m6")
    quality = _SUFFIXES[ending]
    if minor:
        quality = {"maj9": "min9", "maj": "min", "6": "min7"}.get(quality, quality)
    return Chord(root, quality)
