"""Corpora of several parts, for one trunk that all of them share.

The corpus of a trunk is a folder with a prepared corpus for each part, named piano, drums or chords. Each part has its
own rows in the embedding and the head, so the first token of a piece already identifies its part, and an id that means
a chord tone in one part and a drum in another is never ambiguous. In a trunk's pieces, an id also identifies its part:
it is offset by `TABLE_SIZE` for each part before its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.errors import SettingsError
from radio.music.parts import CHORDS, DRUMS, PARTS, PIANO, Part
from radio.music.vocab import TABLE_SIZE
from train.data import binidx
from train.data.binidx import Tokens
from train.data.vocabulary import Rows, RowTable, Table, known_tokens

SHARED: Final = "shared"
"""The `part` of a recipe for a trunk."""
SHARING: Final[tuple[Part, ...]] = (PIANO, DRUMS, CHORDS)


class SharedTable(Table):
    """The rows of all parts, one part after another."""

    def __init__(self) -> None:
        self._tables = [RowTable(part, known_tokens(part)) for part in SHARING]
        self.tokens = tuple(token for table in self._tables for token in table.tokens)
        self.forced = np.concatenate([table.forced for table in self._tables])
        self.attributes = np.concatenate([table.attributes for table in self._tables])
        self.is_pitched = True

    def rows(self, ids: npt.NDArray[np.uint16], *, semitones: int = 0, louder: int = 0) -> Rows:
        """Return the rows of a piece from `read`. Parts that are not pitched keep their notes."""
        place = int(ids[0]) // TABLE_SIZE
        table, own = self._tables[place], ids - np.uint16(place * TABLE_SIZE)
        rows = table.rows(own, semitones=semitones if table.is_pitched else 0, louder=louder)
        return rows + self.rows_of(table.part).start

    def rows_of(self, part: Part) -> range:
        """Return the rows of a part."""
        place = SHARING.index(part)
        first = sum(len(table.tokens) for table in self._tables[:place])
        return range(first, first + len(self._tables[place].tokens))


@dataclass(frozen=True, slots=True)
class Corpus:
    """The pieces of a corpus.

    weights: The relative frequency with which training draws each piece; None if all are equal.
    """

    training: Sequence[Tokens]
    validation: Sequence[Tokens]
    weights: npt.NDArray[np.float64] | None


def table_of(part: str) -> Table:
    """Return the rows of a recipe's part."""
    return SharedTable() if part == SHARED else RowTable(PARTS[part], known_tokens(PARTS[part]))


def read(part: str, folder: Path) -> Corpus:
    """Read the corpus of a recipe. Training reads the same number of tokens from each part of a trunk.

    Raises:
        SettingsError: A trunk's folder has fewer than two parts, or the pieces are of another part.
        MidiError: A file is missing, in another format or truncated.
    """
    if part != SHARED:
        require_part(folder, PARTS[part])
        training = binidx.read(folder / "train")
        return Corpus(
            training, binidx.read(folder / "validation"), binidx.read_weights(folder / "train", len(training))
        )
    parts = parts_in(folder)
    if len(parts) < 2:
        names = ", ".join(part.name for part in SHARING)
        raise SettingsError(f"{folder}: a shared trunk needs corpora of two parts or more, in folders named {names}")
    corpora = [(SHARING.index(part) * TABLE_SIZE, read(part.name, folder / part.name)) for part in parts]
    return Corpus(
        [piece + np.uint16(raised) for raised, corpus in corpora for piece in corpus.training],
        [piece + np.uint16(raised) for raised, corpus in corpora for piece in corpus.validation],
        np.concatenate([_even(corpus) for _, corpus in corpora]),
    )


def require_part(folder: Path, part: Part) -> None:
    """Raise SettingsError if the pieces of a prepared corpus are of another part. Only `.jsonl` files name it."""
    try:
        with (folder / "train.jsonl").open() as file:
            found = json.loads(next(file))["part"]
    except (OSError, StopIteration, ValueError, KeyError, TypeError):
        return
    if found != part.name:
        raise SettingsError(f"{folder}: this is a {found} corpus, not a {part.name} corpus")


def parts_in(folder: Path) -> list[Part]:
    """Return the parts that a trunk's folder has corpora for."""
    return [part for part in SHARING if (folder / part.name).is_dir()]


def _even(corpus: Corpus) -> npt.NDArray[np.float64]:
    """Return the weights of a part's pieces, scaled so that all parts contribute the same number of tokens."""
    weights = np.ones(len(corpus.training)) if corpus.weights is None else corpus.weights
    drawn = float((weights * [len(piece) for piece in corpus.training]).sum())
    even: npt.NDArray[np.float64] = weights / drawn
    return even
