"""Sheets of chords from POP909's labels, relative to the key, and from written progressions with their moods."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from radio.errors import SettingsError
from radio.music.chords import NO_CHORD, Chord
from radio.types import BEATS_PER_BAR
from train.data.arrange.enrichment import tonic_of
from train.data.chords import roman
from train.data.chords.moods import MoodGuess, features, moods_of
from train.data.chords.sheet import SHEET_BARS, Sheet, mode_of, sheet
from train.data.corpus import pop909
from train.data.corpus.piece import Piece, Split

HOP: Final = 8
"""Bars from one sheet of a song to the next."""

_AROUND: Final = 8
"""A sheet's key is judged with this many bars on either side."""

_SILENT: Final = 0.1
"""A sheet with more than this share of beats without a chord is left out."""

_HELD_OUT: Final = 10
"""Every tenth written progression is for validation."""

_RHYTHMS: Final = (4, 4, 2, 8)
"""Beats that a written chord lasts: the file does not say, so each is tried, the bar most often."""


@dataclass(frozen=True, slots=True)
class WrittenProgression:
    """A written progression: its chords as in C major or A minor, its mode and moods."""

    name: str
    split: Split
    mode: str
    chords: tuple[Chord, ...]
    moods: tuple[str, ...]


def read_progressions(path: Path) -> list[WrittenProgression]:
    """What `progressions.json` holds, a list of {mode, numerals, moods}. Raises SettingsError where it does not."""
    try:
        rows = json.loads(path.read_text())
        found = [(str(row["mode"]), list(row["numerals"]), list(row["moods"])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path}: not a list of progressions with mode, numerals and moods ({error!r})") from error
    if not found:
        raise SettingsError(f"{path}: not a list of progressions with mode, numerals and moods: it is empty")
    return [
        WrittenProgression(
            f"{path.stem}/{number:03}",
            "validation" if number % _HELD_OUT == 0 else "train",
            roman.mode_of(mode, numerals),
            tuple(roman.chords_of(mode, numerals)),
            moods_of(words),
        )
        for number, (mode, numerals, words) in enumerate(found)
    ]


def mood_guess(progressions: Sequence[WrittenProgression]) -> MoodGuess:
    """Learnt from those for training that have a mood."""
    return MoodGuess(
        [
            (features(each.mode, each.chords), each.moods)
            for each in progressions
            if each.moods and each.split == "train"
        ]
    )


def written_sheets(progressions: Sequence[WrittenProgression]) -> Iterator[Sheet]:
    """Each progression looped over a sheet, in several harmonic rhythms."""
    for each in progressions:
        for number, beats in enumerate(_RHYTHMS):
            once = _spread(each.chords, beats)
            chords = (once * (SHEET_BARS * BEATS_PER_BAR // len(once) + 1))[: SHEET_BARS * BEATS_PER_BAR]
            made = sheet(f"{each.name}/{number}", each.split, chords, each.mode)
            yield replace(made, moods=dict.fromkeys(each.moods, 1.0))


def song_sheets(folder: Path, guess: MoodGuess) -> Iterator[Sheet]:
    """A POP909 song's labels as sheets, each moved to C major or A minor. Raises MidiError."""
    for piece in pop909.read_song(folder):
        for first in range(0, piece.bars - SHEET_BARS + 1, HOP):
            chords = _relative(piece, first)
            if chords[0] != NO_CHORD and chords.count(NO_CHORD) <= _SILENT * len(chords):
                mode = mode_of(chords)
                made = sheet(f"{piece.name}/{first}", piece.split, chords, mode)
                yield replace(made, moods=guess.shares(features(mode, chords)))


def _relative(piece: Piece, first: int) -> list[Chord]:
    start, end = first * BEATS_PER_BAR, (first + SHEET_BARS) * BEATS_PER_BAR
    margin = _AROUND * BEATS_PER_BAR
    tonic = tonic_of(piece.chords[max(0, start - margin) : end + margin])
    return [chord if chord == NO_CHORD else chord.transposed(-tonic) for chord in piece.chords[start:end]]


def _spread(chords: Sequence[Chord], beats: int) -> list[Chord]:
    """The chords, each `beats` long, the last ones longer where they would not fill whole bars of a loop of 2ⁿ bars."""
    lengths = [beats] * len(chords)
    bars = max(1, -(-sum(lengths) // BEATS_PER_BAR))
    while bars & (bars - 1):
        bars += 1
    missing, place = bars * BEATS_PER_BAR - sum(lengths), len(chords) - 1
    while missing > 0:
        extra = min(beats, missing)
        lengths[place] += extra
        missing -= extra
        place = place - 1 if place > 0 else len(chords) - 1
    return [chord for chord, length in zip(chords, lengths, strict=True) for _ in range(length)]
