"""Measurements: the lines of the scoreboard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from radio.settings.station import StationSettings


class SectionSkipped(Exception):  # noqa: N818 - not an error
    """Raised by a section that this machine cannot measure; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measurement. Ratios are the most useful, since they hardly depend on the machine."""

    name: str
    value: float
    unit: str
    """`×` for a ratio."""
    target: float | None = None
    at_most: bool = False
    """True if the target is an upper bound."""
    absolute: str = ""
    """The two values of a ratio, ours first."""

    @property
    def reached(self) -> bool | None:
        """True if the target is reached; None if there is no target."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def shown(self) -> str:
        """The value with its unit, rounded to three or four digits."""
        return shown(self.value, self.unit)

    @property
    def target_text(self) -> str:
        """The target with its unit, or an empty string."""
        return "" if self.target is None else f"{'≤' if self.at_most else '≥'} {shown(self.target, self.unit)}"


@dataclass(frozen=True, slots=True)
class BenchmarkSetup:
    """The station to measure, and the length of the measurements."""

    station: StationSettings
    config: Path
    """The file that describes the station."""
    effort: float = 1.0
    """The length of each measurement, relative to the default."""


def shown(value: float, unit: str) -> str:
    """Return a number, rounded to its significant digits, with its unit."""
    size = abs(value)
    places = 0 if size >= 100 or value == int(value) else 1 if size >= 10 else 2
    return f"{value:,.{places}f} {unit}".rstrip()
