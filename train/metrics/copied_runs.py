"""Lengths of the runs of notes that pieces copy from a training corpus."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from radio.compose.run_index import PASSAGE_BARS, SEPARATOR, Index, Spread
from radio.errors import MidiError, SettingsError
from radio.music import midi
from radio.music.events import Note
from radio.music.midi_files import SUFFIXES
from radio.music.midi_score import DRUM_CHANNEL
from radio.music.parts import Part
from radio.music.quantize import quantize
from train.metrics import play
from train.metrics.passage import Passage

_STRETCH: Final = 32
"""Hashes in the shortest copied stretch that `beyond` leaves out."""

_SEAM: Final = 12
"""Hashes that are kept at both ends of such a stretch."""

_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
"""Factor of the polynomial that identifies a stretch by 64 bits."""


def spread(index: Index, pieces: Iterable[Passage]) -> Spread:
    """Return the distribution of the longest copied run over all whole passages of `pieces` that have notes."""
    passages = (cut for piece in pieces for cut in piece.cut(PASSAGE_BARS) if cut.notes)
    return Spread.of([index.longest(passage.notes) for passage in passages])


def index_of(part: Part, corpora: Sequence[Path], files: Path | None = None, track: str | None = None) -> Index:
    """Return the index of the training pieces of prepared corpora, and of the files that they were made from.

    A piece has other beats, another register and other chords than its file, so only the file's own notes show that a
    run is copied from the file. Pads are left out: the radio voices them over the chords by the same rule here and on
    the air.

    Args:
        part: The part.
        corpora: Folders that `train prepare` wrote.
        files: A folder with the MIDI files. Only files whose names occur in a training piece's name are read, with or
            without their suffix.
        track: Name of the tracks to read from the files; None reads all.

    Raises:
        SettingsError: A folder is not a prepared corpus, or none of the files has the name of a training piece.
    """
    pieces: list[Sequence[Note]] = []
    names: set[str] = set()
    for corpus in corpora:
        path = corpus / "train.jsonl"
        passages = play.human(play.corpus(path, part))
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        pieces += [passage.notes for row, passage in zip(rows, passages, strict=True) if row.get("texture") != "pad"]
        names |= {_file_of(word) for row in rows for word in row["name"].split("/")}
    if files is not None:
        found = (path for path in sorted(files.rglob("*")) if path.suffix.lower() in SUFFIXES)
        sources = [path for path in found if {path.name, path.stem} & names]
        if not sources:
            raise SettingsError(f"{files}: no MIDI file has the name of a training piece; leave out --files")
        pieces += [notes for path in sources for notes in _tracks(path, part, track)]
    return Index.of(part, pieces)


def beyond(index: Index, known: Index) -> Index:
    """Return the part of an index that is neither in `known` nor earlier in the index itself.

    Only long copied stretches are left out, and their first and last hashes are kept. A run that begins before
    such a stretch, or ends after it, is therefore still found to be at least that long.
    """
    hashes = np.concatenate([known.hashes, index.hashes])
    count = len(hashes) - _STRETCH + 1
    if count < 1:
        return index
    windows = np.zeros(count, np.uint64)
    for place in range(_STRETCH):
        windows = windows * _FACTOR + hashes[place : place + count]
    repeated = np.ones(count, bool)
    repeated[np.unique(windows, return_index=True)[1]] = False
    repeated[: len(known.hashes)] = False
    edges = np.flatnonzero(np.diff(repeated.astype(np.int8), prepend=0, append=0))
    dropped = np.zeros(len(hashes), bool)
    for first, last in edges.reshape(-1, 2):
        begin, end = first + _SEAM, last + _STRETCH - 1 - _SEAM
        hashes[begin:end] = SEPARATOR
        dropped[begin + 1 : end] = True
    return Index(index.part, hashes[len(known.hashes) :][~dropped[len(known.hashes) :]], index.human)


def _file_of(word: str) -> str:
    """Return a part of a piece's name without the number that `prepare folder` adds to the file's."""
    return re.sub(r"#\d+$", "", word)


def _tracks(path: Path, part: Part, track: str | None) -> Iterator[list[Note]]:
    """Yield the notes of each track of a file on its own beats, as `radio originality` reads them."""
    try:
        score = midi.read(path)
    except MidiError:  # preparation has reported it
        return
    tracks: dict[str | None, list[tuple[float, float, int, int]]] = {}
    for note in score.notes:
        if (note.channel == DRUM_CHANNEL) != part.note_offs and track in (None, note.track):
            placed = (note.start / score.ppq, note.end / score.ppq, note.note, note.velocity)
            tracks.setdefault(note.track, []).append(placed)
    for notes in tracks.values():
        yield quantize(part, notes)
