"""Weather: rain outside, thunder far away, and wind."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from radio.audio.ambience.curves import Curve, Draws, Wander, linear, slots, spread, times
from radio.audio.noise import CHUNK, Grain, Noise, band, color, combine, lower, ring, shape
from radio.types import SAMPLE_RATE, Seconds


class RainOutside(Noise):
    """Rain on leaves and ground a few steps away: duller than rain at a window, with drips from a gutter."""

    _BED: Final = combine(shape(band(350, 3_200, 2.0), -38.0), shape(band(90, 300, 2.0), -47.0))
    _LEAVES, _DRIPS = 90.0, 1.6
    """Drops on leaves, and drips into a puddle, per second."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        draws = Draws(seed, "rain outside")
        self._gusts, self._showers = Wander(draws, 4.0), Wander(draws, 17.0, 1)

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Return noise whose strength follows gusts and showers, with two streams of drops."""
        moments = times(number)
        strength = linear(1.6 * self._gusts.at(moments) + 1.2 * self._showers.at(moments))
        grain = color(generator, self._BED)
        grain *= spread(strength)
        seconds = CHUNK / SAMPLE_RATE
        count = generator.poisson(self._LEAVES * seconds * strength[0])
        ring(
            grain,
            generator.integers(0, CHUNK, count),
            hertz=500 * 2 ** generator.uniform(0, 2.0, count),
            decay=generator.uniform(0.0008, 0.003, count),
            peak=0.004 * np.exp(0.5 * generator.standard_normal(count)),
            pan=generator.uniform(-1, 1, count),
        )
        count = generator.poisson(self._DRIPS * seconds)
        ring(
            grain,
            generator.integers(0, CHUNK, count),
            hertz=420 * 2 ** generator.uniform(0, 1.0, count),
            decay=generator.uniform(0.008, 0.013, count),
            peak=0.02 * np.exp(0.3 * generator.standard_normal(count)),
            pan=generator.uniform(0.2, 0.7, count),
            rise=generator.uniform(0.1, 0.3, count),
        )
        return grain


class Thunder(Noise):
    """Distant thunder: a rumble of several rolls about every eleven seconds, and a faint murmur in between."""

    _RUMBLE: Final = lower(shape(band(35, 110, 3.0), -20.0), 1_500)
    _WIDE: Final = lower(shape(band(45, 170, 3.0), -24.0), 1_500)
    _PERIOD: Final[Seconds] = 11.0
    _LENGTH: Final[Seconds] = 9.0

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._draws = Draws(seed, "thunder")

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Return low noise whose level follows the rolls."""
        moments = times(number)
        power = np.full_like(moments, 10 ** (-26 / 10))
        for slot in slots(moments[0] - self._LENGTH - self._PERIOD, moments[-1], self._PERIOD):
            power += self._clap(slot, moments)
        return color(generator, self._WIDE, self._RUMBLE) * spread(np.sqrt(power))

    def _clap(self, slot: int, moments: Curve) -> Curve:
        """Return the power of one clap: several rolls in a row, each with a quick rise and a slow fall."""
        start = (slot + 0.5 * self._draws.one(slot)) * self._PERIOD
        rolls = np.arange(6) + 8 * slot
        begins = start + np.cumsum(0.15 + 0.9 * self._draws.uniform(rolls, 1)) - 0.15
        peaks = 10 ** ((-1.6 * np.arange(6) - 7 * self._draws.uniform(rolls, 2)) / 10)
        rises = 0.05 + 0.25 * self._draws.uniform(rolls, 3)
        falls = 0.35 + 0.9 * self._draws.uniform(rolls, 4)
        peaks *= 3.0 / float((peaks * falls).sum())
        after = moments[None] - begins[:, None]
        shape_of_roll = np.where(
            after > 0,
            (1 - np.exp(-np.maximum(after, 0) / rises[:, None])) * np.exp(-np.maximum(after, 0) / falls[:, None]),
            0,
        )
        return np.asarray(peaks @ shape_of_roll)


class Wind(Noise):
    """Wind around a house: gusts that grow brighter as they grow stronger, and a whistle that glides with them."""

    _LOW: Final = lower(shape(band(130, 420, 2.0), -35.0), 4_000)
    _HIGH: Final = shape(band(300, 1_500, 4.0), -40.0)
    _WHISTLE: Final = lower(shape(band(2, 22, 0.0), -33.0), 600)
    """Low-frequency noise, which is shifted up to the pitch of the whistle."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        draws = Draws(seed, "wind")
        self._gusts, self._squalls, self._pitch = Wander(draws, 1.3), Wander(draws, 3.9, 1), Wander(draws, 2.7, 2)

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Return low noise, high noise and a whistle, each with its own response to the strength of the wind."""
        moments = times(number)
        strength = 0.5 * self._gusts.at(moments) + 0.5 * self._squalls.at(moments)
        grain = color(generator, self._LOW, self._LOW) * spread(linear(6 * strength))
        grain += color(generator, self._HIGH) * spread(linear(10 * strength))
        tones = color(generator, self._WHISTLE)
        hertz = 430 * 2 ** (0.55 * strength + 0.25 * self._pitch.at(moments))
        angle = np.cumsum(spread(hertz), dtype=np.float64) * (2 * math.pi / SAMPLE_RATE)
        whistle = tones[0] * np.cos(angle, dtype=np.float32, casting="same_kind") + tones[1] * np.sin(
            angle, dtype=np.float32, casting="same_kind"
        )
        grain += np.array([[0.8], [0.6]], np.float32) * (whistle * spread(linear(14 * strength - 6)))
        return grain
