"""Passages of prepared pieces: a few bars that begin like a piece on the air."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from radio.errors import SettingsError
from radio.music.vocab import (
    BAND_BASE,
    DENSITY_BASE,
    GROOVE,
    START,
    STYLE_BASE,
    beat_token,
    parse_note_token,
    style_token,
)
from radio.types import TokenId
from train.data.binidx import Tokens

LEFT_OUT: Final = MappingProxyType({"styles": (STYLE_BASE, GROOVE), "controls": (DENSITY_BASE, BAND_BASE)})
"""Ranges of tokens that can be left out of pieces: the drum styles, or all controls except beats and chords."""


@dataclass(frozen=True, slots=True)
class NamedPiece:
    """The tokens of a prepared piece, and the name of the file that it was read from."""

    name: str
    tokens: Tokens

    @property
    def bar_places(self) -> list[int]:
        """The place of the first token of each bar."""
        places: list[int] = np.flatnonzero(self.tokens == beat_token(1)).tolist()
        return places

    def bars(self, first: int, count: int) -> Tokens:
        """Return `<start>` and up to `count` bars starting at bar `first`, without releases of earlier notes."""
        places = [*self.bar_places, len(self.tokens)]
        passage = self.tokens[places[first] : places[min(first + count, len(places) - 1)]]
        return np.array([START, *_without_earlier_notes(passage.tolist())], np.uint16)

    def passages(self, count: int) -> list[Tokens]:
        """Return the piece cut into passages of `count` bars; the last one may be shorter."""
        return [self.bars(first, count) for first in range(0, len(self.bar_places), count)]


def read_pieces(path: Path, names: Sequence[str] = (), styles: Sequence[str] = ()) -> list[NamedPiece]:
    """Read the pieces of a prepared corpus from its `.jsonl`.

    Args:
        path: The file.
        names: Patterns; the name of a piece must match one of them. Empty for all pieces.
        styles: Drum styles; a piece must have one of them. Empty for all pieces.

    Raises:
        SettingsError: The file cannot be read, or there is no such piece.
    """
    try:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        pieces = [NamedPiece(row["name"], np.array(row["tokens"], np.uint16)) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise SettingsError(f"{path}: not a prepared corpus ({error})") from error
    if names:
        pieces = [piece for piece in pieces if any(fnmatch(piece.name, name) for name in names)]
    if styles:
        tokens = [style_token(style) for style in styles]
        pieces = [piece for piece in pieces if np.isin(tokens, piece.tokens).any()]
    if not pieces:
        raise SettingsError(f"{path}: there is no such piece{_of_these(names, styles)}")
    return pieces


def _of_these(names: Sequence[str], styles: Sequence[str]) -> str:
    named = f" with a name like {' or '.join(names)}" if names else ""
    return named + (f" in the style {' or '.join(styles)}" if styles else "")


def without(piece: NamedPiece, controls: str) -> NamedPiece:
    """Return a piece without some control tokens: one of `LEFT_OUT`."""
    first, end = LEFT_OUT[controls]
    return NamedPiece(piece.name, piece.tokens[(piece.tokens < first) | (piece.tokens >= end)])


def _without_earlier_notes(tokens: Iterable[TokenId]) -> list[TokenId]:
    """Return the tokens without releases of notes that were not struck within them."""
    sounding: set[int] = set()
    passage = []
    for token in tokens:
        if note := parse_note_token(token):
            pitch, velocity = note
            if velocity:
                sounding.add(pitch)
            elif pitch not in sounding:
                continue
            else:
                sounding.remove(pitch)
        passage.append(token)
    return passage
