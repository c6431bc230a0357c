"""The part of the controls that composing depends on."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from radio.compose.plan import Request
from radio.compose.wish import Wish
from radio.model.sampling import Sampling
from radio.settings.controls import Controls

_LEANING: Final = 0.7
"""Change of the densities from the lowest energy to the highest."""


def request_of(controls: Controls) -> tuple[Request, Sampling, Sampling]:
    """Return the controls that composing depends on: the request, and the sampling of the piano and drum models."""
    lean = _LEANING * (controls.energy - 0.5)
    request = Request(
        _share(controls.density + lean),
        _share(controls.drums_density + lean),
        Wish(controls.mood, controls.key, controls.mode),
        controls.tempo,
        _share(controls.lead_density + lean),
        controls.energy,
    )
    sampling = Sampling(
        controls.temperature,
        controls.top_p,
        controls.top_k,
        controls.alpha_presence,
        controls.alpha_frequency,
        controls.alpha_decay,
    )
    # A drum loop depends on repetition: penalties would remove its hats.
    return request, sampling, replace(sampling, alpha_presence=0.0, alpha_frequency=0.0)


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
