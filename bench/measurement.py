"""One line of the scoreboard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from radio.settings.station import StationSettings


class SectionSkipped(Exception):  # noqa: N818 - it is no error
    """A section that this machine cannot measure; the message says what is not there."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured. A ratio is the figure that counts, since it hardly depends on the machine."""

    what: str
    value: float
    unit: str
    """`×` for a ratio."""
    target: float | None = None
    at_most: bool = False
    """Whether the target is an upper bound."""
    absolute: str = ""
    """What a ratio was made of: ours, then the other's."""

    @property
    def reached(self) -> bool | None:
        """Whether the target is; None where there is none."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def shown(self) -> str:
        """The value with its unit, in three or four digits."""
        return shown(self.value, self.unit)

    @property
    def wanted(self) -> str:
        """The target in words, or nothing."""
        return "" if self.target is None else f"{'≤' if self.at_most else '≥'} {shown(self.target, self.unit)}"


@dataclass(frozen=True, slots=True)
class BenchmarkSetup:
    """What is measured, and how thoroughly."""

    station: StationSettings
    """The station."""
    config: Path
    """The file it is from."""
    effort: float = 1.0
    """Length of every measurement, as a part of what makes it steady."""


def shown(value: float, unit: str) -> str:
    """A number with the digits that mean something, and its unit."""
    size = abs(value)
    places = 0 if size >= 100 or value == int(value) else 1 if size >= 10 else 2
    return f"{value:,.{places}f} {unit}".rstrip()
