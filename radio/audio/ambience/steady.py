"""Steady noises: brown noise, and the hiss of a tape."""

from __future__ import annotations

from typing import Final

import numpy as np

from radio.audio.ambience.curves import Draws, Wander, linear, spread, times
from radio.audio.noise import Grain, Noise, band, color, lower, shape


class BrownNoise(Noise):
    """Noise whose power falls by 6 dB per octave: as deep and even as a waterfall behind a wall."""

    _SIDES: Final = shape(band(45, 9_000, 6.02), -33.0)
    _MIDDLE: Final = lower(shape(band(40, 900, 6.02), -33.0), 8_000)

    def grain(self, number: int, generator: np.random.Generator) -> Grain:  # noqa: ARG002 — it is steady
        """Return noise with most of its bass in the center."""
        return color(generator, self._SIDES, self._MIDDLE)


class Tape(Noise):
    """The hiss of a cassette: bright noise whose level varies slightly, as the contact of tape and head does."""

    _HISS: Final = shape(band(1_500, 9_000, -2.0), -40.0)

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        draws = Draws(seed, "tape")
        self._contact, self._speed = Wander(draws, 0.35), Wander(draws, 3.1, 1)

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Return the hiss with small changes in level."""
        moments = times(number)
        return color(generator, self._HISS) * spread(
            linear(0.7 * self._contact.at(moments) + 0.4 * self._speed.at(moments))
        )
