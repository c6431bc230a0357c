"""The stages by name, in the order in which they run, and a piece taken through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from types import MappingProxyType

from radio.errors import SettingsError, did_you_mean
from train.data.arrange.enrichment import enriched
from train.data.arrange.sections import steady
from train.data.arrange.sustain import sustained
from train.data.arrange.thinning import thinned
from train.data.arrange.touch import softened
from train.data.arrange.voicing import voiced
from train.data.corpus.piece import Piece

Stage = Callable[[Piece, Random], Piece]

STAGES: Mapping[str, Stage] = MappingProxyType(
    {
        "sections": steady,
        "harmony": enriched,
        "thinning": thinned,
        "voicing": voiced,
        "sustain": sustained,
        "touch": softened,
    }
)


def chosen(words: str, known: Sequence[str] = tuple(STAGES)) -> tuple[str, ...]:
    """Stage names from `all` or a list with commas, in the order in which they run: that of `known`.

    Raises:
        SettingsError: a name that is no stage.
    """
    names = list(known) if words == "all" else words.split(",")
    for name in names:
        if name not in known:
            hint = did_you_mean(name, list(known))
            raise SettingsError(f"there is no stage '{name}'.{hint} Stages: all, or some of {', '.join(known)}")
    return tuple(name for name in known if name in names)


def arranged(piece: Piece, names: Sequence[str], variant: int = 0) -> Piece | None:
    """`piece` taken through the named stages; None where nothing of it is left.

    Chance is drawn from the piece's name, the variant and the stage, so that the same source gives the same corpus
    again and switching one stage off leaves the others' draws alone.
    """
    result = piece
    for name in names:
        result = STAGES[name](result, Random(f"{piece.name}/{variant}/{name}"))
        if not result.notes:
            return None
    return result
