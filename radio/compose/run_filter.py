"""A bitmap of hashes of the training music, which ranks candidates by the longest run of notes that they copy.

An index (`run_index`) finds copied runs exactly, and takes 60 MB of memory. A filter takes 4 MB, shared by all
stations, and may overestimate them: it knows which hashes occur, but not in which order. A tenth of the hashes that do
not occur are false positives, so a long run is rarely due to chance.
Source: Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 13 (7), 1970, with one hash function.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.compose.run_index import SHINGLE, Index, fingerprints
from radio.errors import ModelError
from radio.files import source
from radio.model.weights import tensorfile
from radio.music.events import Note
from radio.music.parts import PARTS, PIANO, Part

FORMAT: Final = "radio-run-filter-1"
WORDS: Final = 1 << 20
"""32-bit words of the filter of a part: 4 MB."""

Words = npt.NDArray[np.uint32]


class RunFilter:
    """A filter of one part.

    Args:
        part: The part.
        words: The bitmap; a power of two of 32-bit words.
        usual: Consecutive notes that human music outside the training music shares with it.
    """

    def __init__(self, part: Part, words: Words, usual: int) -> None:
        self.part = part
        self.words = words
        self.usual = usual

    @classmethod
    def of(cls, index: Index) -> RunFilter:
        """Return the filter of an index."""
        words = np.zeros(WORDS, np.uint32)
        places = index.hashes & np.uint32(32 * WORDS - 1)
        np.bitwise_or.at(words, places >> np.uint32(5), np.uint32(1) << (places & np.uint32(31)))
        return cls(index.part, words, index.human.ninety_nine_in_hundred if index.human else 0)

    def longest(self, notes: Sequence[Note]) -> int:
        """Return the most consecutive notes that may occur in the training music; 0 if fewer than a shingle."""
        places = fingerprints(self.part, notes) & np.uint32(32 * len(self.words) - 1)
        known = self.words[places >> np.uint32(5)] >> (places & np.uint32(31)) & np.uint32(1)
        runs = (len(list(run)) for value, run in groupby(known.tolist()) if value)
        longest = max(runs, default=0)
        return longest + SHINGLE if longest else 0

    def excess(self, notes: Sequence[Note]) -> int:
        """Return the number of notes by which the longest copied run exceeds that of human music."""
        return max(0, self.longest(notes) - self.usual)

    def write(self, path: Path) -> None:
        """Write the filter. The file is replaced only once the new one is completely on disk."""
        metadata = {"format": FORMAT, "part": self.part.name, "usual": str(self.usual)}
        tensorfile.write(path, {"words": self.words}, metadata)

    @classmethod
    def read(cls, path: Path) -> RunFilter:
        """Read a filter. Raise ModelError if the file is missing or is not a filter."""
        tensors, metadata = tensorfile.read(path)
        try:
            part, words, usual = PARTS[metadata["part"]], tensors["words"], int(metadata["usual"])
        except (KeyError, ValueError) as error:
            raise ModelError(f"{path}: not a filter of training music ({error!r})") from error
        sized = words.ndim == 1 and words.dtype == np.uint32 and len(words).bit_count() == 1
        if metadata.get("format") != FORMAT or not sized:
            raise ModelError(f"{path}: not a filter of training music, which is a power of two of 32-bit words")
        return cls(part, words.view(np.uint32), usual)


NOTHING_KNOWN: Final = RunFilter(PIANO, np.zeros(1, np.uint32), 0)
"""An empty filter."""


def next_to(model: Path) -> RunFilter:
    """Return the filter of a model's training music, MODEL.filter.safetensors, or an empty one if it is missing.

    Raises:
        ModelError: The file is not a filter.
    """
    path = path_beside(model)
    return RunFilter.read(path) if source(path).exists() else NOTHING_KNOWN


def path_beside(model: Path) -> Path:
    """Return the path of the filter of a model's training music."""
    return model.with_name(f"{model.stem}.filter.safetensors")
