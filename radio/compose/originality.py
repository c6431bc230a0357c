"""Does what was composed stand in the training music? An index of hashes that finds the longest copied run of notes.

A note is described by what stays when music is transposed, moved in time or played louder: the step in pitch and in
time from the note before, and its length (drums, which have no lengths, by the pad instead of the step in pitch). The
index keeps one 32-bit hash for every `SHINGLE` such steps in a row, in the order of the training music, and so no
music: where n + 1 notes in a row are copied, n − SHINGLE + 1 hashes in a row are found there too.
Source: k-gram fingerprints, Schleimer et al., "Winnowing", SIGMOD 2003, section 2; all are kept, so nothing is missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from radio.errors import ModelError
from radio.music.events import Note

SHINGLE = 6
"""Steps that a hash stands for: shorter runs are common property, a scale or a chord and its neighbour."""

Hashes = npt.NDArray[np.uint32]

_BETWEEN = 0
"""Stands between two pieces, so that no run goes from one into the next; no step hashes to it."""

_KEY = "hashes"


class Index:
    """Every shingle of the training music.

    Args:
        hashes: those of its pieces one after another, `_BETWEEN` between two pieces; shape (N,), uint32.
    """

    def __init__(self, hashes: Hashes) -> None:
        self.hashes = hashes
        self._order = np.argsort(hashes, kind="stable")
        self._sorted = hashes[self._order]

    @classmethod
    def of(cls, pieces: Iterable[Sequence[Note]], *, drums: bool) -> Index:
        """The index of these pieces."""
        parts = [np.append(fingerprints(notes, drums=drums), np.uint32(_BETWEEN)) for notes in pieces]
        return cls(np.concatenate(parts) if parts else np.zeros(0, np.uint32))

    def longest(self, notes: Sequence[Note], *, drums: bool) -> int:
        """Notes in the longest run of `notes` that also stands in one training piece; 0 below a shingle."""
        longest = 0
        lengths = np.zeros(len(self.hashes) + 1, np.int32)  # of the run that ends just before each place
        before = np.zeros(0, np.int64)
        for value in fingerprints(notes, drums=drums):
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
        partial = path.with_suffix(".partial")
        save_file({_KEY: self.hashes}, partial)
        partial.chmod(0o644)  # the library makes it readable by its owner alone
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> Index:
        """Read an index. Raises ModelError where there is none, or something else."""
        try:
            hashes = load_file(path)[_KEY]
        except (SafetensorError, OSError, KeyError) as error:
            raise ModelError(f"{path}: not an index of training music ({error})") from error
        if hashes.ndim != 1 or hashes.dtype != np.uint32:
            raise ModelError(
                f"{path}: an index is one row of 32-bit hashes, not {hashes.dtype} of shape {hashes.shape}"
            )
        return cls(hashes)


def fingerprints(notes: Sequence[Note], *, drums: bool) -> Hashes:
    """One hash for each `SHINGLE` consecutive steps of `notes`, by start and then pitch: (max(0, n − SHINGLE),)."""
    rows = sorted((note.start, note.note, note.end) for note in notes)
    if len(rows) <= SHINGLE:
        return np.zeros(0, np.uint32)
    start, pitch, end = np.array(rows, np.int64).T
    step = pitch[1:] if drums else np.diff(pitch)
    length = np.zeros(len(step), np.int64) if drums else (end - start)[1:]
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
