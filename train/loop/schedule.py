"""How the learning rate moves over a run: up to its peak in the warm-up, then down by one of four curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

CURVES: Final[Mapping[str, Callable[[float, float], float]]] = MappingProxyType(
    {
        # flat, then a straight fall: "warm-up, stable, decay", Hu et al., "MiniCPM", arXiv 2404.06395. The flat part
        # can be prolonged, and it is as good to go on from as to end.
        "wsd": lambda way, end: 1.0 - (1.0 - end) * way,
        "linear": lambda way, end: 1.0 - (1.0 - end) * way,
        "cosine": lambda way, end: end + (1.0 - end) * (1.0 + math.cos(math.pi * way)) / 2,
        # RWKV-LM's own between `lr_init` and `lr_final`
        "exponential": lambda way, end: end**way,
    }
)
"""Share of the peak rate after `way` (0–1) of the fall, which ends at the share `end`."""


def share_at(step: int, *, schedule: str, steps: int, warmup: int, decay_share: float, end_share: float) -> float:
    """Share of the peak rate at `step`.

    Args:
        schedule: of `CURVES`. All but `wsd` begin to fall where the warm-up ends.
        steps, warmup: the run's and the warm-up's, in optimiser steps.
        decay_share: the share of the run in which `wsd` falls.
        end_share: what is left of the peak at the run's last step, above 0 for `exponential`.
    """
    rising = min(1.0, (step + 1) / max(1, warmup))
    flat = steps * (1.0 - decay_share) if schedule == "wsd" else min(warmup, steps)
    way = (step - flat) / max(1.0, steps - 1 - flat)
    return rising * CURVES[schedule](min(1.0, max(0.0, way)), end_share)
