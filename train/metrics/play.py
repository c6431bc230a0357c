"""Music to measure: human pieces, and a model playing under their plans."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from radio.compose.performer import Performer
from radio.errors import SettingsError
from radio.model.engines.base import Engine
from radio.model.sampling import Sampling
from radio.music.parts import Part
from radio.music.tokenizer import events_to_notes
from radio.types import TokenId
from train.metrics.passage import Passage, of_tokens, plans_of

Piece = tuple[Sequence[TokenId], int]
"""The tokens of a prepared piece, and its bars."""


def corpus(path: Path, part: Part | None = None) -> list[Piece]:
    """Read the pieces of a prepared corpus from its `.jsonl`.

    Raises:
        SettingsError: The file cannot be read, or its pieces are not of `part`.
    """
    try:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        pieces = [(row["tokens"], row["bars"]) for row in rows]
        others = {row["part"] for row in rows} - {part.name} if part else set()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path}: not a prepared corpus ({error})") from error
    if part and others:
        raise SettingsError(f"{path}: this is a {min(others)} corpus, not a {part.name} corpus")
    return pieces


def human(pieces: Sequence[Piece]) -> list[Passage]:
    """Return the pieces as passages."""
    return [of_tokens(tokens, bars) for tokens, bars in pieces]


def under_plans(
    engine: Engine, part: Part, pieces: Sequence[Piece], sampling: Sampling, seed: int
) -> Iterator[Passage]:
    """Yield, for each piece, the model's performance under the piece's chords, densities and labels."""
    for number, (tokens, _) in enumerate(pieces):
        performer = Performer(engine, part, (seed, number))
        plans = list(plans_of(tokens, part.name))
        notes = events_to_notes(event for plan in plans for event in performer.play(plan, sampling))
        yield Passage(notes, len(plans), tuple(chord for plan in plans for chord in plan.chords))
