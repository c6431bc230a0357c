"""Places: the sea, a fire, a street, a train."""

from __future__ import annotations

from typing import Final

import numpy as np

from radio.audio.ambience.curves import Curve, Draws, Wander, linear, slots, spread, times
from radio.audio.noise import CHUNK, Grain, Noise, band, color, combine, lower, ring, shape
from radio.types import SAMPLE_RATE, Seconds


class Waves(Noise):
    """Waves on a beach: about every seven seconds, a swell rises, breaks, and runs back with a hiss."""

    _DEEP: Final = lower(shape(band(60, 260, 3.0), -32.0), 3_000)
    _FOAM: Final = shape(band(500, 5_500, 1.5), -29.0)
    _PERIOD: Final[Seconds] = 7.3
    _LENGTH: Final[Seconds] = 12.0

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._draws = Draws(seed, "waves")

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Return the deep noise of the swell and the bright noise of the foam, which follows it."""
        moments = times(number)
        deep, foam = np.full_like(moments, 10 ** (-14 / 10)), np.full((2, len(moments)), 10 ** (-22 / 10))
        for slot in slots(moments[0] - self._LENGTH, moments[-1] + self._LENGTH / 2, self._PERIOD):
            place = (slot + 0.5 + 0.36 * (self._draws.one(slot) - 0.5)) * self._PERIOD
            height = 10 ** (0.3 * (self._draws.one(slot, 1) - 0.5))
            side = 0.5 + 0.5 * (self._draws.one(slot, 2) - 0.5)
            deep += height * _swell(moments - place, 2.0, 1.5)
            foam += height * np.array([[side], [1 - side]]) * 2 * _swell(moments - place - 0.5, 0.9, 2.3)
        grain = color(generator, self._DEEP, self._DEEP) * spread(np.sqrt(deep))
        bright = color(generator, self._FOAM)
        bright[0] *= spread(np.sqrt(foam[0]))
        bright[1] *= spread(np.sqrt(foam[1]))
        return grain + bright


class Fire(Noise):
    """A wood fire: the flutter of flames, and crackles that come in clusters."""

    _FLAMES: Final = lower(shape(band(40, 240, 3.0), -40.0), 3_000)
    _HISS: Final = combine(shape(band(1_200, 7_000, 0.0), -56.0), shape(band(60, 240, 3.0), -43.0))
    _CRACKLES, _POPS = 16.0, 0.9
    """Per second."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        draws = Draws(seed, "fire")
        self._flutter, self._flames = Wander(draws, 0.13), Wander(draws, 2.2, 1)
        self._clusters = Wander(draws, 0.7, 2)

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Return fluttering noise with crackles and pops."""
        moments = times(number)
        flames = linear(4.5 * self._flutter.at(moments) + 2 * self._flames.at(moments))
        grain = color(generator, self._HISS, self._FLAMES) * spread(flames)
        seconds = CHUNK / SAMPLE_RATE
        busy = 10 ** (0.75 * float(self._clusters.at(moments[:1])[0]))
        count = generator.poisson(self._CRACKLES * seconds * busy)
        ring(
            grain,
            _clustered(generator, count),
            hertz=1_100 * 2 ** generator.uniform(0, 2.6, count),
            decay=generator.uniform(0.0003, 0.0016, count),
            peak=np.minimum(0.010 * np.exp(0.8 * generator.standard_normal(count)), 0.08),
            pan=(0.6 * generator.standard_normal(count)).clip(-1, 1),
        )
        count = generator.poisson(self._POPS * seconds * busy)
        ring(
            grain,
            generator.integers(0, CHUNK, count),
            hertz=180 * 2 ** generator.uniform(0, 1.6, count),
            decay=generator.uniform(0.003, 0.009, count),
            peak=np.minimum(0.028 * np.exp(0.5 * generator.standard_normal(count)), 0.09),
            pan=(0.4 * generator.standard_normal(count)).clip(-1, 1),
        )
        return grain


class Street(Noise):
    """A street at some distance: the hum of a town, and cars that pass from one side to the other."""

    _TOWN: Final = lower(shape(band(60, 160, 3.0), -43.0), 2_000)
    _ENGINES: Final = lower(shape(band(70, 260, 2.0), -38.0), 3_000)
    _TIRES: Final = shape(band(450, 1_600, 1.0), -35.0)
    _PERIOD: Final[Seconds] = 4.2
    _LENGTH: Final[Seconds] = 7.0

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._draws = Draws(seed, "street")

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Return the hum of the town, and engines and tires of the cars that are near."""
        moments = times(number)
        near, nearer = np.full((2, len(moments)), 10 ** (-18 / 10)), np.full((2, len(moments)), 10 ** (-24 / 10))
        for slot in slots(moments[0] - self._LENGTH, moments[-1] + self._LENGTH, self._PERIOD):
            place = (slot + self._draws.one(slot)) * self._PERIOD
            speed = 0.7 + 0.8 * self._draws.one(slot, 1)
            loud = 10 ** (0.5 * (self._draws.one(slot, 2) - 0.5))
            along = (moments - place) * speed * (1 if self._draws.one(slot, 3) < 0.5 else -1)
            sides = np.array([0.5 - 0.42 * np.tanh(along), 0.5 + 0.42 * np.tanh(along)])
            # Power falls with the square of the distance from the car, which passes at one unit.
            near += loud * sides / (1 + along**2)
            nearer += loud * sides / (1 + along**2) ** 2
        grain = color(generator, self._ENGINES, self._TOWN)
        grain *= np.stack([spread(np.sqrt(side)) for side in near])
        return grain + color(generator, self._TIRES) * np.stack([spread(np.sqrt(side)) for side in nearer])


class Train(Noise):
    """The inside of a train: rolling, swaying, and pairs of clacks as wheels pass the rail joints."""

    _ROLLING: Final = lower(shape(band(60, 170, 3.0), -41.0), 3_000)
    _WHEELS: Final = shape(band(250, 1_100, 3.0), -44.0)
    _JOINTS: Final[Seconds] = 1.24
    """Time between two joints."""
    _AXLES: Final = (0.0, 0.15, 0.62, 0.77)
    """Seconds after the first axle passes a joint at which each axle of two bogies does."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._draws = Draws(seed, "train")
        self._sway, self._speed = Wander(self._draws, 0.9), Wander(self._draws, 6.0, 1)

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Return the rolling noise with the clacks of this chunk."""
        moments = times(number)
        level = linear(1.2 * self._sway.at(moments) + 1.0 * self._speed.at(moments))
        grain = color(generator, self._WHEELS, self._ROLLING) * spread(level)
        for start, loud in self._clacks(number):
            _clack(grain, start, loud, generator)
        return grain

    def _clacks(self, number: int) -> list[tuple[int, float]]:
        """Return the frame within the chunk and the strength of each clack."""
        begin, length = number * CHUNK / SAMPLE_RATE, CHUNK / SAMPLE_RATE
        clacks = []
        for joint in slots(begin - self._JOINTS, begin + length, self._JOINTS):
            for axle, late in enumerate(self._AXLES):
                shift = 0.012 * (self._draws.one(8 * joint + axle, 2) - 0.5)
                start = round((joint * self._JOINTS + late + shift - begin) * SAMPLE_RATE)
                loud = (1.0, 0.8, 0.7, 0.55)[axle] * 10 ** (0.25 * (self._draws.one(8 * joint + axle, 3) - 0.5))
                if 0 <= start < CHUNK:
                    clacks.append((start, loud))
        return clacks


def _swell(after: Curve, rise: Seconds, fall: Seconds) -> Curve:
    """Return a power that rises to 1 at 0 s and falls after it; about -9 dB at `-rise` and at `fall`."""
    return np.asarray(np.where(after < 0, np.exp(-2 * (after / rise) ** 2), np.exp(-2.2 * np.maximum(after, 0) / fall)))


def _clustered(generator: np.random.Generator, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the frames of crackles, a third of which follow another crackle within 30 ms."""
    starts = generator.integers(0, CHUNK - 1_500, count)
    followers = count // 3
    starts[:followers] = starts[followers : 2 * followers] + generator.integers(100, 1_440, followers)
    return starts


def _clack(grain: Grain, start: int, loud: float, generator: np.random.Generator) -> None:
    hertz = np.array([82.0, 124.0, 210.0, 480.0, 790.0, 1_350.0]) * 2 ** generator.uniform(-0.04, 0.04, 6)
    decay = np.array([0.014, 0.013, 0.011, 0.008, 0.006, 0.004])
    peak = loud * np.array([0.070, 0.075, 0.075, 0.070, 0.040, 0.022])
    starts = start + np.array([0, 0, 0, 40, 60, 60])
    ring(grain, np.minimum(starts, CHUNK - 1), hertz=hertz, decay=decay, peak=peak, pan=generator.uniform(-0.2, 0.2, 6))
