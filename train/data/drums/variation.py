"""Variations of a performance: other cymbals, another balance, fewer limbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Final

Hit = tuple[float, int, int]

EXCHANGES: Final[Sequence[Mapping[int, int]]] = (
    MappingProxyType({42: 51, 51: 42, 46: 59, 59: 46}),  # hats ↔ ride: the same hand on the other side of the kit
    MappingProxyType({49: 57, 57: 49}),  # one crash ↔ the other
)
EXCHANGED: Final = 0.3
"""The probability that each pair of families is exchanged."""

RESTING: Final = 0.2
"""The probability that ghost notes, or the pedal hat, are left out of the whole piece."""

GHOST: Final = 45
"""Snare strokes softer than this are ghost notes."""

FAMILIES: Final[Sequence[frozenset[int]]] = (
    frozenset({36}),
    frozenset({37, 38, 39}),
    frozenset({42, 44, 46}),
    frozenset({51, 52, 53, 59, 49, 57}),
    frozenset({43, 47, 48}),
)
BALANCE: Final = 0.15
"""The largest change of each family's velocities, as a share."""


def vary(hits: Sequence[Hit], random: Random) -> list[Hit]:
    """Return a variation of `hits`. Kick and backbeat always stay.

    If nothing would be left, the hits stay as they are.
    """
    exchanged = {pad: other for pairs in EXCHANGES if random.random() < EXCHANGED for pad, other in pairs.items()}
    gains = [1 + random.uniform(-BALANCE, BALANCE) for _ in FAMILIES]
    no_ghosts, no_foot = (random.random() < RESTING for _ in range(2))
    played = []
    for tick, pad, velocity in hits:
        if (no_ghosts and pad == 38 and velocity < GHOST) or (no_foot and pad == 44):
            continue
        gain = next((gain for gain, family in zip(gains, FAMILIES, strict=True) if pad in family), 1.0)
        played.append((tick, exchanged.get(pad, pad), min(max(round(velocity * gain), 1), 127)))
    return played or list(hits)
