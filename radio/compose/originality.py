"""Comparison of a MIDI file with the training music of the shipped models, for `radio originality`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from radio.compose.run_index import PASSAGE_BARS, SHINGLE, Index, Spread
from radio.errors import MidiError, ModelError
from radio.music import midi
from radio.music.events import Note
from radio.music.midi_score import DRUM_CHANNEL
from radio.music.names import shown
from radio.music.parts import DRUMS, PIANO, Part
from radio.music.quantize import quantize
from radio.paths import CHECKPOINTS
from radio.types import TICKS_PER_BAR

INDEXES: Mapping[Part, Sequence[Path]] = {
    PIANO: (CHECKPOINTS / "piano.index.safetensors", CHECKPOINTS / "piano-loops.index.safetensors"),
    DRUMS: (CHECKPOINTS / "drums.index.safetensors",),
}
"""The files that contain the index of each part; a file has at most 20 MB."""

_LENGTH = PASSAGE_BARS * TICKS_PER_BAR


@dataclass(frozen=True, slots=True)
class Finding:
    """The runs of notes that one track shares with the training music of its part.

    bar: number of the first bar of the passage with the longest run, from 1.
    """

    track: str
    part: Part
    spread: Spread
    bar: int


def compare(path: Path) -> str:
    """Return the report on a MIDI file, from the indexes that come with the radio.

    Raises:
        MidiError: The file is not a MIDI file, or has no notes.
        ModelError: An index is missing or damaged.
    """
    if missing := [index.name for paths in INDEXES.values() for index in paths if not index.exists()]:
        raise ModelError(
            f"{', '.join(missing)} not found: the wheel does not contain the indexes; copy them from radio/checkpoints "
            f"of the source repository to {CHECKPOINTS}"
        )
    indexes = {part: read_index(part) for part in INDEXES}
    return report(path, examine(path, indexes), indexes)


def read_index(part: Part) -> Index:
    """Return the index of the training music of a part.

    Raises:
        ModelError: A file is missing or damaged.
    """
    return Index.joined([Index.read(path) for path in INDEXES[part]])


def examine(path: Path, indexes: Mapping[Part, Index]) -> list[Finding]:
    """Compare each track of a MIDI file with the index of its part.

    Raises:
        MidiError: The file is not a MIDI file, or has no notes.
    """
    score = midi.read(path)
    tracks: dict[tuple[str, Part], list[tuple[float, float, int, int]]] = {}
    for note in score.notes:
        part = DRUMS if note.channel == DRUM_CHANNEL else PIANO
        track = tracks.setdefault((note.track or part.name, part), [])
        track.append((note.start / score.ppq, note.end / score.ppq, note.note, note.velocity))
    if not tracks:
        raise MidiError(f"{path}: it has no notes")
    findings = []
    for (name, part), notes in tracks.items():
        runs = {bar: indexes[part].longest(passage) for bar, passage in _passages(quantize(part, notes))}
        longest = max(runs, key=runs.__getitem__)
        findings.append(Finding(name, part, Spread.of(list(runs.values())), longest))
    return findings


def _passages(notes: Sequence[Note]) -> Iterator[tuple[int, list[Note]]]:
    """Yield passages of `PASSAGE_BARS` bars, with the number of their first bar, from 1."""
    by_number: dict[int, list[Note]] = {}
    for note in notes:
        number = note.start // _LENGTH
        end = min(note.end, (number + 1) * _LENGTH)
        by_number.setdefault(number, []).append(Note(note.start, end, note.note, note.velocity))
    for number, passage in by_number.items():
        yield number * PASSAGE_BARS + 1, passage


def report(path: Path, findings: Sequence[Finding], indexes: Mapping[Part, Index]) -> str:
    """Return the findings as a table that includes unseen human music, and a sentence for each track."""
    lines = [
        f"{shown(path)}: the longest run of notes in each {PASSAGE_BARS} bars that also occurs in the training music,",
        f"in any key and at any tempo. Runs of {SHINGLE} notes or fewer are common in all music and count as 0.",
        "",
        *table({finding.track: finding.spread for finding in findings} | _human(findings, indexes)),
        "",
    ]
    for finding in findings:
        human, longest = indexes[finding.part].human, finding.spread.longest
        if longest == 0:
            lines.append(f"{finding.track}: nothing copied.")
            continue
        verdict = f"{finding.track}: at most {longest} notes in a row, in the bars from {finding.bar}"
        if human is None:
            lines.append(f"{verdict}.")
        elif longest <= human.longest:
            lines.append(f"{verdict}; human music that the model never saw shares up to {human.longest}.")
        else:
            lines.append(f"{verdict}: more than human music shares by chance (up to {human.longest}). Listen to it.")
    return "\n".join(lines)


def _human(findings: Sequence[Finding], indexes: Mapping[Part, Index]) -> dict[str, Spread]:
    parts = dict.fromkeys(finding.part for finding in findings)
    return {f"human {part.name}, unseen": human for part in parts if (human := indexes[part].human)}


def table(spreads: Mapping[str, Spread]) -> list[str]:
    """Return the spreads as the lines of a Markdown table with aligned columns."""
    width = max(map(len, spreads))
    lines = [f"| {'notes in a row':{width}} | passages | half | 90 % | 99 % | longest |"]
    lines.append(f"| {'-' * width} | -------: | ---: | ---: | ---: | ------: |")
    for name, spread in spreads.items():
        runs = f"{spread.half:4} | {spread.nine_in_ten:4} | {spread.ninety_nine_in_hundred:4} | {spread.longest:7}"
        lines.append(f"| {name:{width}} | {spread.passages:8} | {runs} |")
    return lines
