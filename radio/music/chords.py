"""Chords as root and quality: names, chord tones, transposition, tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from radio.music.vocab import QUALITIES, QUALITY_BASE, ROOT_BASE
from radio.types import Mode, TokenId

INTERVALS: Final[dict[str, tuple[int, ...]]] = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dom7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "maj9": (0, 4, 7, 11, 2),
    "min9": (0, 3, 7, 10, 2),
    "sus": (0, 2, 5, 7),
    "dim": (0, 3, 6),
    "hdim7": (0, 3, 6, 10),
    "aug": (0, 4, 8),
    "6": (0, 4, 7, 9),
    "none": (),
}
"""Semitones above the root. `sus` covers the suspended second, the suspended fourth, and both."""

MAJOR: Final = (0, 2, 4, 5, 7, 9, 11)
"""Semitones of the major scale above its tonic."""

_SUFFIXES: Final[dict[str, str]] = {
    "": "maj", "maj": "maj", "M": "maj",
    "m": "min", "min": "min", "-": "min",
    "7": "dom7", "9": "dom7", "13": "dom7", "dom7": "dom7",
    "maj7": "maj7", "M7": "maj7", "m7": "min7", "min7": "min7", "-7": "min7",
    "maj9": "maj9", "M9": "maj9", "m9": "min9", "min9": "min9",
    "sus": "sus", "sus2": "sus", "sus4": "sus", "7sus4": "sus",
    "dim": "dim", "dim7": "dim", "m7b5": "hdim7", "hdim7": "hdim7", "aug": "aug", "+": "aug", "6": "6", "maj6": "6",
}  # fmt: skip
_WRITTEN: Final[dict[str, str]] = {
    "maj": "", "min": "m", "dom7": "7", "maj7": "maj7", "min7": "m7", "maj9": "maj9", "min9": "m9", "sus": "sus",
    "dim": "dim", "hdim7": "m7b5", "aug": "aug", "6": "6", "none": "N",
}  # fmt: skip
_LETTERS: Final[dict[str, int]] = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_PITCH_NAMES: Final = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_NAME = re.compile(r"([A-G])([#b]?)(.*)")


@dataclass(frozen=True, slots=True)
class Chord:
    """A root (pitch class 0–11, C = 0) and one of `vocab.QUALITIES`."""

    root: int
    quality: str

    @property
    def tones(self) -> frozenset[int]:
        """The pitch classes of the chord; empty for quality `none`."""
        return frozenset((self.root + interval) % 12 for interval in INTERVALS[self.quality])

    @property
    def tokens(self) -> tuple[TokenId, ...]:
        """Root token and quality token; `N` (no chord) has only the quality token."""
        quality = QUALITY_BASE + QUALITIES.index(self.quality)
        return (quality,) if self.quality == "none" else (ROOT_BASE + self.root, quality)

    def transposed(self, semitones: int) -> Chord:
        return Chord((self.root + semitones) % 12, self.quality)

    def __str__(self) -> str:
        return "N" if self.quality == "none" else pitch_name(self.root) + _WRITTEN[self.quality]


NO_CHORD: Final = Chord(0, "none")


def pitch_class(name: str) -> int:
    """Return the pitch class, 0–11, of a name such as `C`, `Eb` or `F#`.

    Raises:
        ValueError: `name` is not a pitch.
    """
    match = _NAME.fullmatch(name)
    if match is None or match[3]:
        raise ValueError(f"invalid pitch '{name}'; use a letter A–G with an optional # or b")
    return (_LETTERS[match[1]] + {"#": 1, "b": -1, "": 0}[match[2]]) % 12


def pitch_name(pitch: int) -> str:
    """Return the name (`C`, `Db`, …) of a pitch class 0–11."""
    return _PITCH_NAMES[pitch % 12]


def key_name(major: str, mode: Mode | None) -> str:
    """Return a key as musicians write it: `Eb`, or `Cm` for a minor key. Without a mode, return `major`.

    Args:
        major: The tonic; for a minor key, the tonic of its relative major.
        mode: The mode.
    """
    return f"{pitch_name(pitch_class(major) + 9)}m" if mode == "minor" else major


def parse_chord(name: str) -> Chord:
    """Parse a chord name such as `Dm7`, `F#m7b5`, `Bbmaj9`, `Gsus4` or `N`.

    Extensions without a quality of their own are reduced: a dominant ninth becomes a dominant seventh.

    Raises:
        ValueError: The chord is unknown. The message lists the possible suffixes.
    """
    if name == "N":
        return NO_CHORD
    match = _NAME.fullmatch(name)
    if match is None or match[3] not in _SUFFIXES:
        endings = ", ".join(suffix for suffix in _SUFFIXES if suffix)
        raise ValueError(
            f"unknown chord '{name}'; use a root A–G with an optional # or b, then nothing or one of {endings}"
        )
    return Chord(pitch_class(match[1] + match[2]), _SUFFIXES[match[3]])
