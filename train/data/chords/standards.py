"""Chord sheets from a table of jazz standards, with their form.

The table has a row for each chord, with the columns `compid` (tune), `section` (A, B …), `key`, `time` (meter), `chord`
and `duration` (beats), as `irb` of github.com/klausfrieler/parkR has them.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final

from radio.errors import SettingsError
from radio.music.chords import NO_CHORD, Chord, pitch_class
from radio.types import BEATS_PER_BAR
from train.data.chords.moods import MoodGuess, features
from train.data.chords.roman import RELATIVE
from train.data.chords.sheet import SHEET_BARS, Sheet, sheet
from train.data.vocabulary import STANDARDS

HELD_OUT: Final = 10
"""Every tenth tune is for validation."""

_HOP: Final = 4
"""Bars from one sheet of a tune to the next."""

_BRIDGE: Final = frozenset({"B", "C", "D"})
"""Beginnings of the names of sections that contrast with the first; all others count as A."""

_METER: Final = "4/4"
_COLUMNS: Final = frozenset({"compid", "section", "key", "time", "chord", "duration"})
_CHORD: Final = re.compile(r"([A-G][#b]?)([^/]*)")
_ENDINGS: Final = (
    ("m7b5", "hdim7"), ("min7b5", "hdim7"), ("o", "dim"), ("dim", "dim"),
    ("add9", "maj9"), ("maj9", "maj9"), ("maj", "maj7"), ("min9", "min9"),
    ("min11", "min9"), ("min7", "min7"), ("min", "min"), ("6", "6"), ("+", "aug"), ("sus", "sus"), ("7sus", "sus"),
    ("9sus", "sus"), ("13sus", "sus"), ("7", "dom7"), ("9", "dom7"), ("11", "dom7"), ("13", "dom7"), ("", "maj"),
)  # fmt: skip
"""Beginnings of the suffixes of chord names; the first match counts."""


@dataclass(slots=True)
class Tune:
    """A tune: for each beat its chord, relative to C major or A minor, and True if it is part of a bridge."""

    number: int
    mode: str
    chords: list[Chord] = field(default_factory=list)
    bridge: list[bool] = field(default_factory=list)


def read_tunes(path: Path) -> list[Tune]:
    """Read the tunes in 4/4 of a table, plain or compressed with gzip. Raises SettingsError for another file."""
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = sorted(_COLUMNS - set(reader.fieldnames or ()))
            if missing:
                raise SettingsError(f"{path}: lacks the columns {', '.join(missing)} of a table of jazz standards")
            groups = groupby(reader, lambda row: row["compid"])
            tunes = [_tune(path, int(number), list(group)) for number, group in groups]
    except (OSError, EOFError, ValueError, TypeError, AttributeError, csv.Error) as error:
        raise SettingsError(f"{path}: not a table of jazz standards ({error})") from error
    return [tune for tune in tunes if tune.chords]


def tune_sheets(tune: Tune, guess: MoodGuess) -> Iterator[Sheet]:
    """Yield sheets of sixteen bars, one starting at every fourth bar of a tune, with guessed moods."""
    split = "validation" if tune.number % HELD_OUT == 0 else "train"
    length = SHEET_BARS * BEATS_PER_BAR
    for first in range(0, len(tune.chords) - length + 1, _HOP * BEATS_PER_BAR):
        chords = tune.chords[first : first + length]
        if chords[0] == NO_CHORD:
            continue
        made = sheet(f"standard/{tune.number}/{first}", split, chords, tune.mode)
        made.moods = guess.shares(features(tune.mode, chords))
        made.style = STANDARDS
        made.bridges = tuple(tune.bridge[first : first + length : BEATS_PER_BAR])
        yield made


def quality_of(ending: str) -> str:
    """Return the quality of a chord by the suffix of its name. Raises ValueError for an unknown ending."""
    for beginning, quality in _ENDINGS:
        if ending.startswith(beginning) and (beginning or not ending):
            return quality
    raise ValueError(f"unknown ending '{ending}'")


def _tune(path: Path, number: int, rows: list[dict[str, str]]) -> Tune:
    """Return a tune; one in another meter has no chords."""
    tonic, mode = rows[0]["key"].split("-")
    tune = Tune(number, "minor" if mode == "min" else "major")
    if any(row["time"] != _METER for row in rows):
        return tune
    semitones = (RELATIVE if tune.mode == "minor" else 0) - pitch_class(tonic)
    end = 0.0
    for row in rows:
        try:
            chord = _chord(row["chord"], semitones)
        except ValueError as error:
            raise SettingsError(f"{path}: tune {number}: {error}") from error
        end += float(row["duration"])
        beats = round(end) - len(tune.chords)
        tune.chords += [chord] * beats
        tune.bridge += [row["section"][:1] in _BRIDGE] * beats
    return tune


def _chord(name: str, semitones: int) -> Chord:
    match = _CHORD.match(name)
    return Chord(pitch_class(match[1]), quality_of(match[2])).transposed(semitones) if match else NO_CHORD
