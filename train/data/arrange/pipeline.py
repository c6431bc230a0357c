"""The stages of arrangement by name, in running order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from types import MappingProxyType

from radio.errors import SettingsError, did_you_mean
from train.data.arrange.enrichment import enrich
from train.data.arrange.sections import keep_steady_sections
from train.data.arrange.sustain import sustain
from train.data.arrange.thinning import thin
from train.data.arrange.touch import soften
from train.data.arrange.voicing import voice
from train.data.corpus.piece import Piece

Stage = Callable[[Piece, Random], Piece]

STAGES: Mapping[str, Stage] = MappingProxyType(
    {
        "sections": keep_steady_sections,
        "harmony": enrich,
        "thinning": thin,
        "voicing": voice,
        "sustain": sustain,
        "touch": soften,
    }
)


def parse_stages(words: str, known: Sequence[str] = tuple(STAGES)) -> tuple[str, ...]:
    """Parse `all`, or stage names separated by commas; return the names in the order of `known`.

    Raises:
        SettingsError: A name is unknown.
    """
    names = list(known) if words == "all" else words.split(",")
    for name in names:
        if name not in known:
            hint = did_you_mean(name, list(known))
            raise SettingsError(f"there is no stage '{name}'.{hint} Stages: all, or some of {', '.join(known)}")
    return tuple(name for name in known if name in names)


def arrange(piece: Piece, names: Sequence[str], variant: int = 0) -> Piece | None:
    """Apply the named stages to `piece`; return None if no notes are left.

    The random generators are seeded by the piece's name, the variant and the stage. So the same source always gives the
    same corpus, and omitting a stage does not change the draws of the others.
    """
    result = piece
    for name in names:
        result = STAGES[name](result, Random(f"{piece.name}/{variant}/{name}"))
        if not result.notes:
            return None
    return result
