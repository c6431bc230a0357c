"""The Groove MIDI Dataset: human drumming in 4/4, with its 22 pads mapped to General MIDI drums.

Source: Gillick et al., "Learning to Groove with Inverse Sequence Transformations", ICML 2019; pads as on the data
set's own page.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radio.errors import MidiError
from radio.music import midi
from radio.music.drum_pads import PADS
from radio.types import TICKS_PER_BEAT
from train.data.corpus.beat_placement import BeatPlacement, estimate_placement
from train.data.corpus.piece import Split


def rows(root: Path) -> list[dict[str, str]]:
    """Return the rows of info.csv that are in 4/4 and in the train or validation split."""
    info = next(iter(sorted(root.rglob("info.csv"))), None)
    if info is None:
        raise MidiError(f"{root}: there is no info.csv, so it is not the Groove MIDI Dataset")
    with info.open(newline="") as file:
        return [
            row | {"path": str(info.parent / row["midi_filename"])}
            for row in csv.DictReader(file)
            if row["time_signature"] == "4-4" and row["split"] in ("train", "validation")
        ]


CLICK: Final = BeatPlacement()
"""The placement of the data set's click: hits stay as played."""


@dataclass(frozen=True, slots=True)
class DrumPerformance:
    """One drummer's hits as played: (tick, General MIDI drum, velocity), 120 ticks per beat of the file's click."""

    name: str
    split: Split
    style: str
    tempo: float
    fill: bool
    hits: Sequence[tuple[float, int, int]]


def read_performance(row: Mapping[str, str]) -> DrumPerformance:
    """Read the performance of a row of info.csv. Raises MidiError if its file cannot be read or has no hits."""
    score = midi.read(Path(row["path"]))
    hits = [
        (note.start / score.ppq * TICKS_PER_BEAT, PADS[note.note], note.velocity)
        for note in score.notes
        if note.note in PADS
    ]
    if not hits:
        raise MidiError(f"{row['path']}: it has no drum notes")
    return DrumPerformance(
        f"groove/{row['id']}",
        "validation" if row["split"] == "validation" else "train",
        row["style"].partition("/")[0],
        float(row["bpm"]),
        row["beat_type"] == "fill",
        hits,
    )


class TakePlacements:
    """The beat placements of takes. A take is all that one drummer played in a session in one style at one tempo.

    A fill of a bar is too short for an estimate, so it is estimated together with the grooves of its take.
    """

    def __init__(self, rows: Sequence[Mapping[str, str]]) -> None:
        self._rows: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
        for row in rows:
            self._rows.setdefault(self._key(row), []).append(row)
        self._placements: dict[tuple[str, ...], BeatPlacement] = {}

    def of(self, row: Mapping[str, str]) -> BeatPlacement:
        """Return the placement of the take that `row` belongs to, from its readable files."""
        key = self._key(row)
        if key not in self._placements:
            onsets: list[float] = []
            for take in self._rows[key]:
                with suppress(MidiError):
                    onsets += [tick for tick, _, _ in read_performance(take).hits]
            self._placements[key] = estimate_placement(onsets)
        return self._placements[key]

    @staticmethod
    def _key(row: Mapping[str, str]) -> tuple[str, ...]:
        return row["drummer"], row["session"], row["style"], row["bpm"]
