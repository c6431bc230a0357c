"""Level meters that rise immediately, fall slowly and hold peaks; activity lamps that fade."""

from __future__ import annotations

import math
from typing import Final

from radio.types import Dbfs, Seconds

FLOOR: Final[Dbfs] = -48.0
"""Lower end of the scale."""
_FALL: Final = 24.0
"""Fall of a bar in dB per second."""
_PEAK_HOLD: Final[Seconds] = 1.5
_CLIP_HOLD: Final[Seconds] = 5.0


def decibels(amplitude: float) -> Dbfs:
    """Return 20 log10 of an amplitude; minus infinity for silence and for values that are not finite."""
    return 20 * math.log10(amplitude) if amplitude > 0 and math.isfinite(amplitude) else -math.inf


class Meter:
    """The meter of one channel.

    `level` is the displayed RMS in dBFS and `peak` the held peak; neither is below `FLOOR`. `clipped` is True for a few
    seconds after a sample has reached full scale.
    """

    def __init__(self) -> None:
        self.level: Dbfs = FLOOR
        self.peak: Dbfs = FLOOR
        self._since_peak: Seconds = 0.0
        self._since_clip: Seconds = math.inf

    @property
    def clipped(self) -> bool:
        return self._since_clip < _CLIP_HOLD

    def advance(self, seconds: Seconds, peak: float = 0.0, power: float = 0.0) -> None:
        """Advance by `seconds`, during which the largest sample was `peak` and the mean square `power`."""
        self.level = max(FLOOR, decibels(math.sqrt(max(0.0, power))), self.level - _FALL * seconds)
        self._since_peak += seconds
        if self._since_peak > _PEAK_HOLD:
            self.peak = max(FLOOR, self.peak - _FALL * seconds)
        if decibels(peak) >= self.peak:
            self.peak, self._since_peak = decibels(peak), 0.0
        self._since_clip = 0.0 if peak >= 1.0 else self._since_clip + seconds


class Lamp:
    """A lamp that lights up with each note of a layer and fades. `brightness` is 0–1."""

    def __init__(self) -> None:
        self.brightness = 0.0

    def on_note(self, velocity: int) -> None:
        """Light up for a note of MIDI velocity 1–127."""
        self.brightness = max(self.brightness, 0.4 + 0.6 * velocity / 127)

    def advance(self, seconds: Seconds) -> None:
        """Advance by `seconds`."""
        self.brightness = max(0.0, self.brightness - 2.5 * seconds)
