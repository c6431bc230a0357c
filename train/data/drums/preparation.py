"""The stages of drum preparation by name, and a performance taken through them."""

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
from train.data.corpus.piece import Piece, groove_labels, trimmed
from train.data.drums.grid import gridded
from train.data.drums.variation import varied
from train.data.drums.weights import weight

STAGES: Final = ("align", "straighten", "grid", "vary", "weigh")
"""align: by the drummer's own click. straighten: swing taken out. grid: each beat in four or in three. vary: all
variants but the first are played otherwise. weigh: some are read more often."""


def placed(ticks: Sequence[float], placement: BeatPlacement, stages: Sequence[str]) -> list[float]:
    """Where the hits of one performance belong by the stages `align`, `straighten` and `grid`, in the same order."""
    if "align" in stages:
        ticks = [placement.aligned(tick) for tick in ticks]
    if "straighten" in stages:
        ticks = [placement.straight(tick) for tick in ticks]
    return list(gridded(ticks) if "grid" in stages else ticks)


def piece(
    performance: DrumPerformance, placement: BeatPlacement, stages: Sequence[str], variant: int = 0
) -> Piece | None:
    """`performance` on the grid, taken through the named stages; None where nothing of it is left."""
    hits = performance.hits
    if variant and "vary" in stages:
        hits = varied(hits, Random(f"{performance.name}/{variant}/vary"))
    ticks = placed([tick for tick, _, _ in hits], placement, stages)
    notes = quantize(
        DRUMS,
        [
            (tick / TICKS_PER_BEAT, tick / TICKS_PER_BEAT, pad, velocity)
            for tick, (_, pad, velocity) in zip(ticks, hits, strict=True)
        ],
    )
    if not notes:
        return None
    return trimmed(
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
