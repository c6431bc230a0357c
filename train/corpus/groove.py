"""The Groove MIDI Dataset: human drumming in 4/4, its 22 pads mapped to General MIDI, style and fill as labels.

Source: Gillick et al., "Learning to Groove with Inverse Sequence Transformations", ICML 2019; pads as on the data
set's own page.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from radio.errors import MidiError
from radio.music import midi
from radio.music.parts import DRUMS
from radio.music.quantise import quantised
from radio.music.vocab import STYLES
from radio.types import TICKS_PER_BAR
from train.corpus.piece import Piece, groove_labels, trimmed

PADS = {
    36: 36, 38: 38, 40: 38, 37: 37, 48: 48, 50: 50, 45: 47, 47: 47, 43: 43, 58: 43, 46: 46, 26: 46, 42: 42, 22: 42,
    44: 44, 49: 49, 55: 49, 57: 57, 52: 52, 51: 51, 59: 59, 53: 53, 39: 39, 54: 54, 56: 56,
}  # fmt: skip
"""Electronic kit pad → General MIDI drum; rims join the snare, edges and bows of a cymbal become one."""


def rows(root: Path) -> list[dict[str, str]]:
    """The rows of info.csv that are in 4/4 and in the train or validation split."""
    info = next(iter(sorted(root.rglob("info.csv"))), None)
    if info is None:
        raise MidiError(f"{root}: no info.csv: not the Groove MIDI Dataset")
    with info.open(newline="") as file:
        return [
            row | {"path": str(info.parent / row["midi_filename"])}
            for row in csv.DictReader(file)
            if row["time_signature"] == "4-4" and row["split"] in ("train", "validation")
        ]


def read_performance(row: dict[str, str]) -> Iterator[Piece]:
    """One performance as a piece. Raises MidiError where its file cannot be read."""
    score = midi.read(Path(row["path"]))
    notes = [
        (note.start / score.ppq, note.end / score.ppq, PADS[note.note], note.velocity)
        for note in score.notes
        if note.note in PADS
    ]
    placed = quantised(DRUMS, notes)
    if not placed:
        raise MidiError(f"{row['path']}: no drum notes")
    style = row["style"].partition("/")[0]
    labels = groove_labels([style] if style in STYLES else [], fill=row["beat_type"] == "fill")
    bars = placed[-1].start // TICKS_PER_BAR + 1
    piece = Piece(
        f"groove/{row['id']}",
        DRUMS,
        "validation" if row["split"] == "validation" else "train",
        bars,
        placed,
        labels=labels,
    )
    short = trimmed(piece)
    if short is not None:
        yield short
