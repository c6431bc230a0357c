"""The bass corpus: beats of jazz performances with chord and bass note.

The file is a table of beats with the columns `melid` (performance), `beat`, `signature`, `chord` and `bass` (a MIDI
note), as `wjd_annotated_beat_tracks` of github.com/klausfrieler/jazzodata has them. Its notes were estimated from the
recordings, one per beat.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from radio.errors import SettingsError
from radio.model.bass_model import HIGHEST, HISTORY, LOWEST, BassContext
from radio.music.chords import Chord, pitch_class

LICENSE: Final = (
    "wjd_annotated_beat_tracks, MIT, Klaus Frieler; github.com/klausfrieler/jazzodata, after the Weimar Jazz Database"
)

HELD_OUT: Final = 3
"""A performance whose number ends in this digit is held out: a tenth of all."""

_COLUMNS: Final = frozenset({"melid", "beat", "signature", "chord", "bass"})
_CHORD: Final = re.compile(r"([A-G][#b]?)([^/]*)")
_ENDINGS: Final = (
    ("m7b5", "hdim7"), ("o", "dim"), ("+", "aug"), ("sus", "sus"), ("-7", "min7"), ("-", "min"), ("j", "maj7"),
    ("6", "6"), ("7", "dom7"),
)  # fmt: skip
"""Beginnings of the suffixes of chord names; the first match counts."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One beat: its place in the bar (0–3), its chord and its bass note, each None if unknown or out of range."""

    place: int | None
    chord: Chord | None
    note: int | None


@dataclass(frozen=True, slots=True)
class Performance:
    """The beats of one performance."""

    number: int
    beats: Sequence[Beat]

    @property
    def held_out(self) -> bool:
        """True if figures are measured on this performance."""
        return self.number % 10 == HELD_OUT


@dataclass(frozen=True, slots=True)
class Example:
    """A bass note and its context."""

    context: BassContext
    note: int


def read_performances(path: Path) -> list[Performance]:
    """Read the table of beats, plain or compressed with gzip. Raises SettingsError if it is not such a table."""
    performances: dict[int, list[Beat]] = {}
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = sorted(_COLUMNS - set(reader.fieldnames or ()))
            if missing:
                raise SettingsError(f"{path}: lacks the columns {', '.join(missing)} of a table of bass notes")
            for row in reader:
                performances.setdefault(int(row["melid"]), []).append(_beat(row))
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file") from None
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise SettingsError(f"{path}: not a table of bass notes ({error})") from error
    return [Performance(number, beats) for number, beats in performances.items()]


def examples(performance: Performance) -> Iterator[Example]:
    """Yield the notes over known chords in 4/4."""
    beats = performance.beats
    changes = [number for number, beat in enumerate(beats) if number == 0 or beat.chord != beats[number - 1].chord] + [
        len(beats)
    ]
    for start, end in pairwise(changes):
        chord = beats[start].chord
        if chord is None:
            continue
        following = (beats[end].chord if end < len(beats) else None) or chord
        for number in range(start, end):
            beat = beats[number]
            if beat.place is None or beat.note is None:
                continue
            line = _line_before(beats, number)
            yield Example(BassContext(chord, following, beat.place, number - start, end - number, line), beat.note)


def parse_jazz_chord(name: str) -> Chord | None:
    """Return the chord of a name such as `Eb-7` or `Fj7911#`; None for no chord or a slash chord."""
    match = _CHORD.fullmatch(name)
    if match is None:
        return None
    root, ending = pitch_class(match[1]), match[2]
    if not ending:
        return Chord(root, "maj")
    quality = next((quality for beginning, quality in _ENDINGS if ending.startswith(beginning)), None)
    return None if quality is None else Chord(root, quality)


def _beat(row: dict[str, str]) -> Beat:
    note = int(row["bass"]) if row["bass"] else None
    return Beat(
        place=int(row["beat"]) - 1 if row["signature"] == "4/4" and row["beat"] in ("1", "2", "3", "4") else None,
        chord=parse_jazz_chord(row["chord"]),
        note=note if note is not None and LOWEST <= note <= HIGHEST else None,
    )


def _line_before(beats: Sequence[Beat], number: int) -> list[int]:
    """Return the notes before a beat, latest first, up to the first that is unknown."""
    line: list[int] = []
    for beat in reversed(beats[max(0, number - HISTORY) : number]):
        if beat.note is None:
            break
        line.append(beat.note)
    return line
