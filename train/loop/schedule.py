"""Learning rate schedules: a rise to the peak in the warm-up, then a fall by one of four curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

CURVES: Final[Mapping[str, Callable[[float, float], float]]] = MappingProxyType(
    {
        # Flat, then a straight fall: "warm-up, stable, decay", Hu et al., "MiniCPM", arXiv 2404.06395. The flat part
        # can be prolonged later: training can continue from any point of it.
        "wsd": lambda way, end: 1.0 - (1.0 - end) * way,
        "linear": lambda way, end: 1.0 - (1.0 - end) * way,
        "cosine": lambda way, end: end + (1.0 - end) * (1.0 + math.cos(math.pi * way)) / 2,
        # as RWKV-LM's between `lr_init` and `lr_final`
        "exponential": lambda way, end: end**way,
    }
)
"""The share of the peak rate after the fraction `way` (0–1) of a fall that ends at the share `end`."""


def share_at(step: int, *, schedule: str, steps: int, warmup: int, decay_share: float, end_share: float) -> float:
    """Return the learning rate at `step` as a share of its peak.

    Args:
        schedule: A name in `CURVES`. All except `wsd` begin to fall at the end of the warm-up.
        steps: Optimizer steps of the run.
        warmup: Optimizer steps of the warm-up.
        decay_share: The share of the run in which `wsd` falls.
        end_share: The share of the peak at the last step; above 0 for `exponential`.
    """
    rising = min(1.0, (step + 1) / max(1, warmup))
    flat = steps * (1.0 - decay_share) if schedule == "wsd" else min(warmup, steps)
    way = (step - flat) / max(1.0, steps - 1 - flat)
    return rising * CURVES[schedule](min(1.0, max(0.0, way)), end_share)
