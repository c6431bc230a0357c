"""The stages of drum preparation by name, applied to performances."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from radio.music.parts import DRUMS
from radio.music.quantize import quantize
from radio.music.vocab import STYLES
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT
from train.data.corpus.beat_placement import BeatPlacement
from train.data.corpus.groove import DrumPerformance
from train.data.corpus.piece import Piece, groove_labels, trim
from train.data.drums.grid import snap_to_grid
from train.data.drums.variation import vary
from train.data.drums.weights import weight

STAGES: Final = ("align", "straighten", "grid", "vary", "weigh")
"""align: move hits to the drummer's own click. straighten: remove swing. grid: divide each beat into four or three.
vary: change all variants except the first. weigh: read some pieces more often."""


def place_hits(ticks: Sequence[float], placement: BeatPlacement, stages: Sequence[str]) -> list[float]:
    """Apply those of `align`, `straighten` and `grid` that `stages` names to the hits; their order stays."""
    if "align" in stages:
        ticks = [placement.align(tick) for tick in ticks]
    if "straighten" in stages:
        ticks = [placement.straighten(tick) for tick in ticks]
    return list(snap_to_grid(ticks) if "grid" in stages else ticks)


def piece(
    performance: DrumPerformance, placement: BeatPlacement, stages: Sequence[str], variant: int = 0
) -> Piece | None:
    """Apply the named stages to a performance and quantize it; return None if no notes are left."""
    hits = performance.hits
    if variant and "vary" in stages:
        hits = vary(hits, Random(f"{performance.name}/{variant}/vary"))
    ticks = place_hits([tick for tick, _, _ in hits], placement, stages)
    notes = quantize(
        DRUMS,
        [
            (tick / TICKS_PER_BEAT, tick / TICKS_PER_BEAT, pad, velocity)
            for tick, (_, pad, velocity) in zip(ticks, hits, strict=True)
        ],
    )
    if not notes:
        return None
    return trim(
        Piece(
            performance.name,
            DRUMS,
            performance.split,
            notes[-1].start // TICKS_PER_BAR + 1,
            notes,
            labels=groove_labels([performance.style] if performance.style in STYLES else [], fill=performance.fill),
            tempo=performance.tempo,
            weight=weight(performance) if "weigh" in stages else 1.0,
        )
    )
