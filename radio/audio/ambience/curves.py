"""Curves and events that are functions of the seed and the frame: gusts, swells, steps, calls."""

from __future__ import annotations

import math
import zlib
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.audio.noise import CHUNK, GRAIN
from radio.types import SAMPLE_RATE, Frames, Seconds

STEP: Final[Frames] = 480
"""Frames between two points of a curve, which is linear between them."""
POINTS: Final = GRAIN // STEP + 1
"""Points of a curve over one grain, with both ends."""

Curve = npt.NDArray[np.float64]
"""Values at the points of a grain, (POINTS,) float64."""

Indexes = npt.NDArray[np.int64]

_TIMES: Final = np.arange(POINTS) * (STEP / SAMPLE_RATE)
_SLOPE: Final = (np.arange(STEP) / STEP).astype(np.float32)
_GOLDEN, _FIRST, _SECOND = (np.uint64(x) for x in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def name_number(name: str) -> int:
    """Return a number for a name, the same on every machine."""
    return zlib.crc32(name.encode())


class Draws:
    """Random numbers that can be drawn in any order: each is a function of the seed, a name and an index.

    Source: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
    """

    def __init__(self, seed: int, name: str) -> None:
        self._key = np.uint64((seed * 0x9E3779B1 + name_number(name) * 0x85EBCA77) % 2**64)

    def uniform(self, index: Indexes, column: int | Indexes = 0) -> Curve:
        """Return a number from 0 to 1 for each index; columns are independent of each other."""
        with np.errstate(over="ignore"):
            x = index.astype(np.uint64) * _GOLDEN + self._key + np.asarray(column, np.uint64) * _SECOND
            x = (x ^ (x >> np.uint64(30))) * _FIRST
            x = (x ^ (x >> np.uint64(27))) * _SECOND
            x = x ^ (x >> np.uint64(31))
        return np.asarray((x >> np.uint64(11)).astype(np.float64) * 2.0**-53)

    def one(self, index: int, column: int = 0) -> float:
        """Return the number from 0 to 1 for a single index."""
        return float(self.uniform(np.array([index]), column)[0])


def times(number: int) -> Curve:
    """Return the times of the points in the grain of chunk `number`, in seconds since frame 0."""
    return np.asarray(number * (CHUNK / SAMPLE_RATE) + _TIMES)


class Wander:
    """A value that wanders between -1 and 1, smoothly, from one random value to the next.

    Args:
        draws: the source of the random values.
        period: time between two random values.
        column: distinguishes curves that share one source.
    """

    def __init__(self, draws: Draws, period: Seconds, column: int = 0) -> None:
        self._draws, self._period, self._column = draws, period, column

    def at(self, moments: Curve, column: Indexes | int = 0) -> Curve:
        """Return the values at `moments` in seconds; each column wanders independently."""
        place = moments / self._period
        first = np.floor(place)
        part = place - first
        blend = 0.5 - 0.5 * np.cos(np.pi * part)
        index = first.astype(np.int64)
        before, after = (2 * self._draws.uniform(index + shift, self._column + column) - 1 for shift in (0, 1))
        return np.asarray(before + (after - before) * blend)


def slots(start: Seconds, end: Seconds, period: Seconds) -> range:
    """Return the numbers of the slots, each `period` long, that overlap the time from `start` to `end`."""
    return range(math.floor(start / period), math.ceil(end / period))


def spread(curve: Curve) -> npt.NDArray[np.float32]:
    """Return the value of a curve at each frame of a grain, (GRAIN,) float32."""
    points = curve.astype(np.float32)
    values = points[:-1, None] + np.diff(points)[:, None] * _SLOPE
    return np.asarray(values.reshape(-1))


def linear(decibels: Curve) -> Curve:
    """Return the linear gains of levels in dB."""
    return np.asarray(10 ** (decibels / 20))
