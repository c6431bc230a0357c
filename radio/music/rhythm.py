"""What the drums' bars are called by: the backbeat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from radio.types import TICKS_PER_BEAT, Tick

BACKBEAT_PADS: Final = frozenset({37, 38, 39, 40})
"""Side stick, snare, clap, rim."""

NEAR: Tick = 10
"""How far from the beat a hit still counts as on it: a twelfth of a beat."""


def has_backbeat(hits: Iterable[tuple[Tick, int]]) -> bool:
    """Whether a snare, clap or rim sounds on beat 2 and on beat 4; `hits` as (tick within the bar, pad)."""
    ticks = [tick for tick, pad in hits if pad in BACKBEAT_PADS]
    return all(any(abs(tick - beat * TICKS_PER_BEAT) <= NEAR for tick in ticks) for beat in (1, 3))
