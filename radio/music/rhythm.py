"""Detection of the backbeat in a bar of drums."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from radio.types import TICKS_PER_BEAT, Tick

BACKBEAT_PADS: Final = frozenset({37, 38, 39, 40})
"""Side stick, snare, clap, rim."""

NEAR: Tick = 10
"""Largest distance between a hit and the beat it counts for: a twelfth of a beat."""


def has_backbeat(hits: Iterable[tuple[Tick, int]]) -> bool:
    """Return True if a snare, clap or rim sounds on both beat 2 and beat 4.

    Args:
        hits: (tick within the bar, pad).
    """
    ticks = [tick for tick, pad in hits if pad in BACKBEAT_PADS]
    return all(any(abs(tick - beat * TICKS_PER_BEAT) <= NEAR for tick in ticks) for beat in (1, 3))
