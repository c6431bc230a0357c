"""Figures of drums: their repetition, cymbals and toms, and the backbeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np

from radio.compose.bar import Bar
from radio.compose.drums import BACKBEAT_STYLES, CLOSED_HAT, HATS, RIDES, TOMS
from radio.music.rhythm import has_backbeat
from radio.types import Tick
from train.metrics.repetition import jaccard

BLOCK_BARS: Final = 32


@dataclass(frozen=True)
class DrumFigures:
    """Figures of the bars in which drums play."""

    neighbors: float
    """The mean similarity of neighboring bars outside fills."""
    different_bars: float
    """Different bars of 32, the median over blocks."""
    without_cymbal: float
    """The share of bars with neither hi-hat nor ride."""
    closed_hats: float
    """Closed hats per bar."""
    toms: float
    """Toms as a share of all hits."""
    backbeat: float | None
    """The share of bars outside fills with a snare, clap or rim on beats 2 and 4; None if the style has none."""


def measure_drums(tracks: Sequence[Sequence[Bar]]) -> DrumFigures | None:
    """Measure the drums of whole tracks; None if there are none."""
    pairs = [(bar, hits) for bar in chain.from_iterable(tracks) if (hits := _hits(bar)) and "drums" in bar.plan.layers]
    if not pairs:
        return None
    bars = [hits for _, hits in pairs]
    pads = [pad for hits in bars for _, pad in hits]
    grooves = {bar.plan.number: hits for bar, hits in pairs if not bar.plan.fill}
    firsts = {track[0].plan.number for track in tracks}
    neighbors = [
        jaccard(hits, grooves[number + 1])
        for number, hits in grooves.items()
        if number + 1 in grooves and number + 1 not in firsts
    ]
    blocks = [bars[start : start + BLOCK_BARS] for start in range(0, len(bars) - BLOCK_BARS + 1, BLOCK_BARS)]
    styled = pairs[0][0].plan.style in BACKBEAT_STYLES
    return DrumFigures(
        neighbors=float(np.mean(neighbors)) if neighbors else 1.0,
        different_bars=float(np.median([len(set(block)) for block in blocks or [bars]])),
        without_cymbal=float(np.mean([not any(pad in HATS | RIDES for _, pad in hits) for hits in bars])),
        closed_hats=pads.count(CLOSED_HAT) / len(bars),
        toms=sum(pad in TOMS for pad in pads) / len(pads),
        backbeat=float(np.mean([has_backbeat(hits) for hits in grooves.values()])) if styled and grooves else None,
    )


def _hits(bar: Bar) -> frozenset[tuple[Tick, int]]:
    return frozenset((event.tick - bar.plan.tick, event.note) for event in bar.events["drums"] if event.velocity)
