"""The noise of an old record: hiss, rumble, crackle and occasional pops."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from radio.audio.noise import CHUNK, FREQUENCIES, Grain, Noise, Numbers, band, color, ring, shape
from radio.types import SAMPLE_RATE

_HISS = shape(band(150, 8_000, 2.0), -57.0)
_RUMBLE = shape(band(25, 90, 0.0), -63.0)[FREQUENCIES < 2_000]
"""Limited to 2 kHz, where it is already 50 dB weaker."""
_REVOLUTION = 60 / (100 / 3)
"""Seconds per revolution of the record: dust is uneven, so the density of crackle varies with it."""
_TICKS, _SPECKS, _POPS = 14.0, 45.0, 0.25
"""Mean number of events per second."""


class Vinyl(Noise):
    """Vinyl noise: hiss near -57 dBFS RMS, ticks that peak at -40 to -30 dBFS, fainter specks, and sparse pops."""

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Return hiss and rumble with three Poisson streams of clicks."""
        grain = color(generator, _HISS, _RUMBLE)
        wear = math.exp(0.35 * generator.standard_normal())
        seconds = CHUNK / SAMPLE_RATE
        specks = self._clicks(_SPECKS * wear * seconds, number, generator)
        ticks = self._clicks(_TICKS * wear * seconds, number, generator)
        pops = self._clicks(_POPS * seconds, number, generator)
        levels = (
            generator.uniform(-56, -42, len(specks)),
            -40 + 10 * generator.random(len(ticks)) ** 1.5,  # weak ticks outnumber strong ones
            generator.uniform(-36, -32, len(pops)),
        )
        _tick(grain, np.concatenate((specks, ticks, pops)), np.concatenate(levels), generator)
        hertz, decay = generator.uniform(180, 600, len(pops)), generator.uniform(0.001, 0.0025, len(pops))
        peak, pan = _amplitude(generator.uniform(-33, -27, len(pops))), generator.uniform(-0.4, 0.4, len(pops))
        ring(grain, pops, hertz=hertz, decay=decay, peak=peak, pan=pan)
        return grain

    def _clicks(self, mean: float, number: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return the frames of a Poisson stream in this chunk, denser on one side of the record."""
        count = generator.poisson(1.5 * mean)
        starts = generator.integers(0, CHUNK, count)
        angle = 2 * math.pi * ((number * CHUNK + starts) / SAMPLE_RATE / _REVOLUTION % 1)
        accepted = generator.random(count) * 1.5 < 1 + 0.5 * np.cos(angle)
        return starts[accepted]


def _tick(grain: Grain, starts: npt.NDArray[np.int64], peak_db: Numbers, generator: np.random.Generator) -> None:
    count = len(starts)
    hertz = 1_400 * 2 ** generator.uniform(0, 1.8, count)
    decay = generator.uniform(0.0001, 0.0004, count)
    peak = generator.choice((-1.0, 1.0), count) * _amplitude(peak_db)
    ring(grain, starts, hertz=hertz, decay=decay, peak=peak, pan=generator.uniform(-0.8, 0.8, count))


def _amplitude(decibels: Numbers) -> Numbers:
    return np.asarray(10 ** (decibels / 20))
