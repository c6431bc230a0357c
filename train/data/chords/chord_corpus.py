"""Chord sheets from POP909's labels and from written progressions with moods, relative to the key."""

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
"""Bars on either side of a sheet that its key is also estimated from."""

_SILENT: Final = 0.1
"""The largest share of beats without a chord in a sheet."""

_HELD_OUT: Final = 10
"""Every tenth written progression is for validation."""

_RHYTHMS: Final = (4, 4, 2, 8)
"""Beats per written chord. The file does not specify them, so several are used, most often a bar."""


@dataclass(frozen=True, slots=True)
class WrittenProgression:
    """A written progression in C major or A minor."""

    name: str
    split: Split
    mode: str
    chords: tuple[Chord, ...]
    moods: tuple[str, ...]


def read_progressions(path: Path) -> list[WrittenProgression]:
    """Read `progressions.json`, a list of {mode, numerals, moods}. Raises SettingsError if it is not one."""
    try:
        rows = json.loads(path.read_text())
        entries = [(str(row["mode"]), list(row["numerals"]), list(row["moods"])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path}: not a list of progressions with mode, numerals and moods ({error!r})") from error
    if not entries:
        raise SettingsError(f"{path}: not a list of progressions with mode, numerals and moods; it is empty")
    return [
        WrittenProgression(
            f"{path.stem}/{number:03}",
            "validation" if number % _HELD_OUT == 0 else "train",
            roman.mode_of(mode, numerals),
            tuple(roman.chords_of(mode, numerals)),
            moods_of(words),
        )
        for number, (mode, numerals, words) in enumerate(entries)
    ]


def mood_guess(progressions: Sequence[WrittenProgression]) -> MoodGuess:
    """Return a classifier of moods, trained on the training progressions that have moods."""
    return MoodGuess(
        [
            (features(progression.mode, progression.chords), progression.moods)
            for progression in progressions
            if progression.moods and progression.split == "train"
        ]
    )


def written_sheets(progressions: Sequence[WrittenProgression]) -> Iterator[Sheet]:
    """Yield sheets of each progression as a loop, in several harmonic rhythms."""
    for progression in progressions:
        for number, beats in enumerate(_RHYTHMS):
            once = _spread(progression.chords, beats)
            chords = (once * (SHEET_BARS * BEATS_PER_BAR // len(once) + 1))[: SHEET_BARS * BEATS_PER_BAR]
            loop = sheet(f"{progression.name}/{number}", progression.split, chords, progression.mode)
            yield replace(loop, moods=dict.fromkeys(progression.moods, 1.0))


def song_sheets(folder: Path, guess: MoodGuess) -> Iterator[Sheet]:
    """Yield sheets of a POP909 song's labels, transposed to C major or A minor. Raises MidiError for a broken song."""
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
    """Return each chord for `beats` beats; the last ones are longer if needed to fill a loop of 2ⁿ bars."""
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
