"""How a level meter moves: up at once, down calmly, with the largest peak held for a moment."""

from __future__ import annotations

import math
from typing import Final

from radio.types import Dbfs, Seconds

FLOOR: Final[Dbfs] = -48.0
"""The bottom of the scale."""
_FALL: Final = 24.0
"""dB a second at which a bar comes down."""
_HOLD: Final[Seconds] = 1.5
_CLIPPED: Final[Seconds] = 5.0


def decibels(amplitude: float) -> Dbfs:
    """20 log10, with silence, and whatever is no number, at minus infinity."""
    return 20 * math.log10(amplitude) if amplitude > 0 and math.isfinite(amplitude) else -math.inf


class Meter:
    """One channel's meter.

    `level` is its RMS in dBFS as drawn, `peak` the held peak; both are `FLOOR` at least. `clipped` tells whether a
    sample has touched full scale in the last seconds.
    """

    def __init__(self) -> None:
        self.level: Dbfs = FLOOR
        self.peak: Dbfs = FLOOR
        self._since_peak: Seconds = 0.0
        self._since_clip: Seconds = math.inf

    @property
    def clipped(self) -> bool:
        return self._since_clip < _CLIPPED

    def advance(self, seconds: Seconds, peak: float = 0.0, power: float = 0.0) -> None:
        """Let `seconds` pass in which the largest sample was `peak` and the mean square `power`."""
        self.level = max(FLOOR, decibels(math.sqrt(max(0.0, power))), self.level - _FALL * seconds)
        self._since_peak += seconds
        if self._since_peak > _HOLD:
            self.peak = max(FLOOR, self.peak - _FALL * seconds)
        if decibels(peak) >= self.peak:
            self.peak, self._since_peak = decibels(peak), 0.0
        self._since_clip = 0.0 if peak >= 1.0 else self._since_clip + seconds


class Lamp:
    """Lights with each note of a layer and fades: `light` is 0–1."""

    def __init__(self) -> None:
        self.light = 0.0

    def strike(self, velocity: int) -> None:
        """A note sounds with MIDI velocity 1–127."""
        self.light = max(self.light, 0.4 + 0.6 * velocity / 127)

    def advance(self, seconds: Seconds) -> None:
        """Let `seconds` pass."""
        self.light = max(0.0, self.light - 2.5 * seconds)
