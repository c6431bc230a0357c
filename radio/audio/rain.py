"""Rain on a roof and at the window."""

from __future__ import annotations

import math

import numpy as np

from radio.audio.noise import CHUNK, GRAIN, Grain, Noise, band, colour, ring, shape
from radio.types import SAMPLE_RATE

_WASH_DB, _ROOF_DB = -39.0, -44.0
"""dBFS RMS of the many drops that melt together, far and on the roof."""
_WASH = shape(band(900, 7_000, 3.0))
_ROOF = shape(band(140, 500, 3.0))
_DROPS, _NEAR = 130.0, 2.5
"""Single drops per second, and those that fall close by."""
_GUST = 7
"""Chunks from one draw of the rain's strength to the next: 3.5 s."""


class Rain(Noise):
    """Steady rain near -37 dBFS RMS: a wash of noise that swells and fades a little, and single drops in it."""

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Two noises at the strength of the moment, under two Poisson streams of drops."""
        strength = self._strength(number)
        grain = colour(_WASH, generator) * np.float32(10 ** (_WASH_DB / 20))
        grain += colour(_ROOF, generator) * np.float32(10 ** (_ROOF_DB / 20))
        grain *= strength.astype(np.float32)
        seconds = CHUNK / SAMPLE_RATE
        for start in generator.integers(0, CHUNK, generator.poisson(_DROPS * seconds * strength[0])):
            hertz = 1_200 * 2 ** generator.uniform(0, 2.4)
            peak = 0.0045 * math.exp(0.6 * generator.standard_normal())
            decay, pan = generator.uniform(0.0004, 0.002), generator.uniform(-1, 1)
            ring(grain, int(start), hertz=hertz, decay=decay, peak=peak, pan=pan)
        for start in generator.integers(0, CHUNK, generator.poisson(_NEAR * seconds * strength[0])):
            # A drop that hits water shuts in a bubble, whose pitch rises as it comes up.
            hertz = 700 * 2 ** generator.uniform(0, 1.5)
            peak = 0.007 * math.exp(0.5 * generator.standard_normal())
            rise = generator.uniform(0.1, 0.4)
            decay, pan = generator.uniform(0.004, 0.009), generator.uniform(-1, 1)
            ring(grain, int(start), hertz=hertz, decay=decay, peak=peak, pan=pan, rise=rise)
        return grain

    def _strength(self, number: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """A gain that wanders by about ±2 dB over seconds, the same from whichever chunk it is asked: (GRAIN,)."""
        place = number / _GUST + np.arange(GRAIN) / (CHUNK * _GUST)
        first = math.floor(place[0])
        draws = [
            np.random.default_rng(np.random.SeedSequence([self.seed % 2**64, 1, first + i + 1])).uniform(-2, 2)
            for i in range(3)
        ]
        # A raised cosine leads from one draw to the next.
        part = place - first
        here, along = np.minimum(part.astype(int), 1), part % 1
        values = np.array(draws)
        decibels = values[here] + (values[here + 1] - values[here]) * (0.5 - 0.5 * np.cos(np.pi * along))
        return np.asarray(10 ** (decibels / 20))
