"""Does what was composed stand in the training music? An index of hashes that finds the longest copied run of notes.

A note is described by what stays when music is transposed, moved in time or played louder: the step in pitch and in
time from the note before, and its length (drums, which have no lengths, by the pad instead of the step in pitch). The
index keeps one 32-bit hash for every `SHINGLE` such steps in a row, in the order of the training music, and so no
music: where n + 1 notes in a row are copied, n − SHINGLE + 1 hashes in a row are found there too.
Source: k-gram fingerprints, Schleimer et al., "Winnowing", SIGMOD 2003, section 2; all are kept, so nothing is missed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from radio.errors import ModelError
from radio.model.weights import tensorfile
from radio.music.events import Note
from radio.music.parts import PARTS, Part

FORMAT = "radio-index-1"
SHINGLE = 6
"""Steps that a hash stands for: shorter runs are common property, a scale or a chord and its neighbour."""
PASSAGE_BARS = 8
"""Bars that are judged together: long enough for a theme, short enough that one copy shows in the distribution."""

Hashes = npt.NDArray[np.uint32]

_BETWEEN = 0
"""Stands between two pieces, so that no run goes from one into the next; no step hashes to it."""
_QUANTILES = (0.5, 0.9, 0.99, 1.0)


@dataclass(frozen=True, slots=True)
class Spread:
    """How long the longest copied runs of many passages are, in notes: their number, quantiles and maximum."""

    passages: int
    half: int
    nine_in_ten: int
    ninety_nine_in_hundred: int
    longest: int

    @classmethod
    def of(cls, runs: Sequence[int]) -> Spread:
        """Of the longest run of each passage; a quantile is one of them, the nearest above."""
        found = np.quantile(runs, _QUANTILES, method="higher") if runs else np.zeros(len(_QUANTILES))
        return cls(len(runs), *(int(each) for each in found))


class Index:
    """Every shingle of the training music of one part.

    Args:
        hashes: those of its pieces one after another, `_BETWEEN` between two pieces; shape (N,), uint32.
        human: the spread over passages of human music that is not in the index, to compare with; none where unknown.
    """

    def __init__(self, part: Part, hashes: Hashes, human: Spread | None = None) -> None:
        self.part = part
        self.hashes = hashes
        self.human = human
        self._order = np.argsort(hashes, kind="stable")
        self._sorted = hashes[self._order]

    @classmethod
    def of(cls, part: Part, pieces: Iterable[Sequence[Note]]) -> Index:
        """The index of these pieces."""
        parts = [np.append(fingerprints(part, notes), np.uint32(_BETWEEN)) for notes in pieces]
        return cls(part, np.concatenate(parts) if parts else np.zeros(0, np.uint32))

    def longest(self, notes: Sequence[Note]) -> int:
        """Notes in the longest run of `notes` that also stands in one training piece; 0 below a shingle."""
        longest = 0
        lengths = np.zeros(len(self.hashes) + 1, np.int32)  # of the run that ends just before each place
        before = np.zeros(0, np.int64)
        for value in fingerprints(self.part, notes):
            first, last = np.searchsorted(self._sorted, [value, value + 1])
            found = self._order[first:last]
            grown = lengths[found] + 1
            lengths[before + 1] = 0
            lengths[found + 1] = grown
            before = found
            longest = max(longest, int(grown.max(initial=0)))
        return longest + SHINGLE if longest else 0

    def write(self, path: Path) -> None:
        """Write the index; the target is replaced only when all of it is on disk."""
        metadata = {"format": FORMAT, "part": self.part.name}
        if self.human:
            metadata["human"] = json.dumps([getattr(self.human, name) for name in Spread.__slots__])
        tensorfile.write(path, {"hashes": self.hashes}, metadata)

    @classmethod
    def read(cls, path: Path) -> Index:
        """Read an index. Raises ModelError where there is none, or something else."""
        tensors, metadata = tensorfile.read(path)
        if metadata.get("format") != FORMAT:
            raise ModelError(
                f"{path}: not an index of training music (format {metadata.get('format')!r}, not {FORMAT})"
            )
        try:
            part, hashes = PARTS[metadata["part"]], tensors["hashes"]
            human = Spread(*map(int, json.loads(metadata["human"]))) if "human" in metadata else None
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{path}: its header is malformed ({error!r})") from error
        if hashes.ndim != 1 or hashes.dtype != np.uint32:
            raise ModelError(
                f"{path}: an index is one row of 32-bit hashes, not {hashes.dtype} of shape {hashes.shape}"
            )
        return cls(part, hashes.astype(np.uint32, copy=False), human)


def fingerprints(part: Part, notes: Sequence[Note]) -> Hashes:
    """One hash for each `SHINGLE` consecutive steps of `notes`, by start and then pitch: (max(0, n − SHINGLE),)."""
    rows = sorted((note.start, note.note, note.end) for note in notes)
    if len(rows) <= SHINGLE:
        return np.zeros(0, np.uint32)
    start, pitch, end = np.array(rows, np.int64).T
    step = np.diff(pitch) if part.note_offs else pitch[1:]
    length = (end - start)[1:] if part.note_offs else np.zeros(len(step), np.int64)
    symbols = np.zeros(len(step), np.uint64)
    for fact in (step, np.diff(start), length):
        symbols = _mixed(symbols ^ fact.astype(np.uint64))
    count = len(symbols) - SHINGLE + 1
    hashes = np.zeros(count, np.uint64)
    for place in range(SHINGLE):
        hashes = _mixed(hashes ^ symbols[place : place + count])
    kept: Hashes = np.maximum(hashes >> np.uint64(33), 1).astype(np.uint32)
    return kept


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64's step and finaliser (Steele et al., OOPSLA 2014): each bit depends on every bit given."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
