"""An index of hashes of the training music, which finds the longest copied run of notes.

A note is described by features that do not change when music is transposed, moved in time or played louder: the
interval in pitch and in time from the previous note, and its length (for drums, which have no lengths, the pad instead
of the interval in pitch). The index contains one 32-bit hash for every `SHINGLE` consecutive steps, in the order of the
training music, but no music: if n + 1 consecutive notes are copied, n − SHINGLE + 1 consecutive hashes match.
Source: k-gram fingerprints, Schleimer et al., "Winnowing", SIGMOD 2003, section 2; the index has all of them.
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
"""Steps in one hash. Shorter runs, such as a scale or two chords, are common in all music."""
PASSAGE_BARS = 8
"""Length of a passage: long enough for a theme, and short enough that one copy shows in the distribution."""

Hashes = npt.NDArray[np.uint32]

SEPARATOR = 0
"""Separator of two pieces, so that no run spans both; no shingle has this hash."""
_QUANTILES = (0.5, 0.9, 0.99, 1.0)


@dataclass(frozen=True, slots=True)
class Spread:
    """Quantiles and maximum of the lengths of the longest copied runs in many passages, in notes.

    passages: number of passages. half, nine_in_ten, ninety_nine_in_hundred: quantiles.
    """

    passages: int
    half: int
    nine_in_ten: int
    ninety_nine_in_hundred: int
    longest: int

    @classmethod
    def of(cls, runs: Sequence[int]) -> Spread:
        """Return the spread of `runs`, the longest run of each passage. Quantiles are rounded up to the next run."""
        quantiles = np.quantile(runs, _QUANTILES, method="higher") if runs else np.zeros(len(_QUANTILES))
        return cls(len(runs), *map(int, quantiles))


class Index:
    """All shingles of the training music of one part.

    Args:
        part: The part.
        hashes: Hashes of its pieces one after another, separated by `SEPARATOR`; shape (N,), uint32.
        human: The spread over passages of human music outside the index, for comparison; None if unknown.
    """

    def __init__(self, part: Part, hashes: Hashes, human: Spread | None = None) -> None:
        self.part = part
        self.hashes = hashes
        self.human = human
        self._order = np.argsort(hashes, kind="stable")
        self._sorted = hashes[self._order]

    @classmethod
    def of(cls, part: Part, pieces: Iterable[Sequence[Note]]) -> Index:
        """Return the index of `pieces`."""
        parts = [np.append(fingerprints(part, notes), np.uint32(SEPARATOR)) for notes in pieces]
        return cls(part, np.concatenate(parts) if parts else np.zeros(0, np.uint32))

    @classmethod
    def joined(cls, indexes: Sequence[Index]) -> Index:
        """Return one index of the training music of several, which are of one part; `human` is that of the first."""
        first, *others = indexes
        return cls(first.part, np.concatenate([first.hashes, *(other.hashes for other in others)]), first.human)

    def longest(self, notes: Sequence[Note]) -> int:
        """Return the length of the longest run of `notes` that occurs in a training piece; 0 if below a shingle."""
        longest = 0
        lengths = np.zeros(len(self.hashes) + 1, np.int32)  # of the run that ends before each position
        before = np.zeros(0, np.int64)
        for value in fingerprints(self.part, notes):
            first, last = np.searchsorted(self._sorted, [value, value + 1])
            matches = self._order[first:last]
            grown = lengths[matches] + 1
            lengths[before + 1] = 0
            lengths[matches + 1] = grown
            before = matches
            longest = max(longest, int(grown.max(initial=0)))
        return longest + SHINGLE if longest else 0

    def write(self, path: Path) -> None:
        """Write the index. The file is replaced only once the new one is completely on disk."""
        metadata = {"format": FORMAT, "part": self.part.name}
        if self.human:
            metadata["human"] = json.dumps([getattr(self.human, name) for name in Spread.__slots__])
        tensorfile.write(path, {"hashes": self.hashes}, metadata)

    @classmethod
    def read(cls, path: Path) -> Index:
        """Read an index. Raise ModelError if the file is missing or is not an index."""
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
                f"{path}: an index is an array (N,) of 32-bit hashes, not {hashes.dtype} of shape {hashes.shape}"
            )
        return cls(part, hashes.astype(np.uint32, copy=False), human)


def fingerprints(part: Part, notes: Sequence[Note]) -> Hashes:
    """Return a hash for each `SHINGLE` consecutive steps of `notes`; shape (max(0, n − SHINGLE),).

    The notes are sorted by start and pitch first.
    """
    rows = sorted((note.start, note.note, note.end) for note in notes)
    if len(rows) <= SHINGLE:
        return np.zeros(0, np.uint32)
    start, pitch, end = np.array(rows, np.int64).T
    step = np.diff(pitch) if part.note_offs else pitch[1:]
    length = (end - start)[1:] if part.note_offs else np.zeros(len(step), np.int64)
    symbols = np.zeros(len(step), np.uint64)
    for feature in (step, np.diff(start), length):
        symbols = _mixed(symbols ^ feature.astype(np.uint64))
    count = len(symbols) - SHINGLE + 1
    hashes = np.zeros(count, np.uint64)
    for place in range(SHINGLE):
        hashes = _mixed(hashes ^ symbols[place : place + count])
    shortened: Hashes = np.maximum(hashes >> np.uint64(33), 1).astype(np.uint32)
    return shortened


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Apply the step and finalizer of SplitMix64 (Steele et al., OOPSLA 2014): every bit depends on all input bits."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
