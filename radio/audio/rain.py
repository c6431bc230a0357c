"""Rain on a roof and at the window."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from radio.audio.noise import CHUNK, GRAIN, Grain, Noise, band, color, combine, ring, shape
from radio.types import SAMPLE_RATE

_SOUND = combine(shape(band(900, 7_000, 3.0), -39.0), shape(band(140, 500, 3.0), -44.0))
"""The drops that blend into noise: distant ones and those on the roof."""
_DROPS, _NEAR = 130.0, 2.5
"""Single drops and near drops, per second."""
_GUST = 7
"""Chunks between two random values of the rain's strength: 3.5 s."""
_POINT = 480
"""Frames between two points of the strength curve, which is linear between them."""


class Rain(Noise):
    """Steady rain at about -37 dBFS RMS: noise of slowly varying strength, with single drops."""

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Return noise at the current strength with two Poisson streams of drops."""
        strength = self._strength(number)
        grain = color(generator, _SOUND)
        grain *= strength
        seconds = CHUNK / SAMPLE_RATE
        count = generator.poisson(_DROPS * seconds * strength[0])
        starts = generator.integers(0, CHUNK, count)
        hertz = 1_200 * 2 ** generator.uniform(0, 2.4, count)
        peak = 0.0045 * np.exp(0.6 * generator.standard_normal(count))
        decay, pan = generator.uniform(0.0004, 0.002, count), generator.uniform(-1, 1, count)
        ring(grain, starts, hertz=hertz, decay=decay, peak=peak, pan=pan)
        count = generator.poisson(_NEAR * seconds * strength[0])
        starts = generator.integers(0, CHUNK, count)
        # A drop that hits water traps an air bubble, whose pitch rises as it ascends.
        hertz = 700 * 2 ** generator.uniform(0, 1.5, count)
        peak = 0.007 * np.exp(0.5 * generator.standard_normal(count))
        rise = generator.uniform(0.1, 0.4, count)
        decay, pan = generator.uniform(0.004, 0.009, count), generator.uniform(-1, 1, count)
        ring(grain, starts, hertz=hertz, decay=decay, peak=peak, pan=pan, rise=rise)
        return grain

    def _strength(self, number: int) -> npt.NDArray[np.float32]:
        """Return a gain, (GRAIN,), that varies by about ±2 dB over seconds, continuous across chunks."""
        points = np.arange(0, GRAIN + 1, _POINT)
        place = number / _GUST + points / (CHUNK * _GUST)
        first = math.floor(place[0])
        draws = [
            np.random.default_rng(np.random.SeedSequence([self.seed % 2**64, 1, first + i + 1])).uniform(-2, 2)
            for i in range(3)
        ]
        # Interpolate between the random values with a raised cosine.
        part = place - first
        index, fraction = np.minimum(part.astype(int), 1), part % 1
        values = np.array(draws)
        decibels = values[index] + (values[index + 1] - values[index]) * (0.5 - 0.5 * np.cos(np.pi * fraction))
        gains = 10 ** (decibels / 20)
        return np.asarray(np.interp(np.arange(GRAIN), points, gains), np.float32)
