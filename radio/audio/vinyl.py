"""An old record's own sound: hiss, a little rumble, crackle and now and then a pop."""

from __future__ import annotations

import math

import numpy as np

from radio.audio.noise import CHUNK, Grain, Noise, band, colour, ring, shape
from radio.types import SAMPLE_RATE

_HISS_DB, _RUMBLE_DB = -57.0, -63.0
"""dBFS RMS."""
_HISS = shape(band(150, 8_000, 2.0))
_RUMBLE = shape(band(25, 90, 0.0))
_TURN = 60 / (100 / 3)
"""Seconds per turn of the record: dust lies unevenly, so crackle comes and goes with it."""
_TICKS, _SPECKS, _POPS = 14.0, 45.0, 0.25
"""Events per second on average."""


class Vinyl(Noise):
    """Vinyl noise: hiss near -57 dBFS RMS, ticks that peak from -40 to -30 dBFS, finer specks below, sparse pops."""

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Hiss and rumble under three Poisson streams of clicks."""
        grain = colour(_HISS, generator) * np.float32(10 ** (_HISS_DB / 20))
        rumble = colour(_RUMBLE, generator)
        grain += rumble.mean(axis=0) * np.float32(math.sqrt(2) * 10 ** (_RUMBLE_DB / 20))
        wear = math.exp(0.35 * generator.standard_normal())
        seconds = CHUNK / SAMPLE_RATE
        for start in self._strikes(_SPECKS * wear * seconds, number, generator):
            _tick(grain, start, generator.uniform(-56, -42), generator)
        for start in self._strikes(_TICKS * wear * seconds, number, generator):
            # Weak ticks outnumber strong ones.
            _tick(grain, start, -40 + 10 * generator.random() ** 1.5, generator)
        for start in self._strikes(_POPS * seconds, number, generator):
            hertz, decay = generator.uniform(180, 600), generator.uniform(0.001, 0.0025)
            peak, pan = _amplitude(generator.uniform(-33, -27)), generator.uniform(-0.4, 0.4)
            ring(grain, start, hertz=hertz, decay=decay, peak=peak, pan=pan)
            _tick(grain, start, generator.uniform(-36, -32), generator)
        return grain

    def _strikes(self, mean: float, number: int, generator: np.random.Generator) -> list[int]:
        """Frames of a Poisson stream in this chunk, denser on one side of the record."""
        count = generator.poisson(1.5 * mean)
        starts = generator.integers(0, CHUNK, count)
        angle = 2 * math.pi * ((number * CHUNK + starts) / SAMPLE_RATE / _TURN % 1)
        kept = generator.random(count) * 1.5 < 1 + 0.5 * np.cos(angle)
        return [int(start) for start in starts[kept]]


def _tick(grain: Grain, start: int, peak_db: float, generator: np.random.Generator) -> None:
    hertz = 1_400 * 2 ** generator.uniform(0, 1.8)
    sign = 1 if generator.random() < 0.5 else -1
    decay = generator.uniform(0.0001, 0.0004)
    ring(grain, start, hertz=hertz, decay=decay, peak=sign * _amplitude(peak_db), pan=generator.uniform(-0.8, 0.8))


def _amplitude(decibels: float) -> float:
    return float(10 ** (decibels / 20))
