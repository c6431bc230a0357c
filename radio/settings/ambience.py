"""The background sounds of a station's ambience, and their levels in the station's own mix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from radio.settings.fields import check, optional
from radio.settings.kinds import Number

STATION: Final = "station"
"""The choice that leaves the ambience to the station."""


def _level(help: str) -> float | None:
    level: float | None = optional(Number(low=-40, high=24, unit="dB"), help=help)
    return level


@dataclass(frozen=True)
class AmbienceLevels:
    """The level of each sound in dB; null leaves it out. At 0 dB all are equally loud.

    Raises:
        SettingsError: Levels are out of range; the message has a line for each.
    """

    rain_window: float | None = _level("rain at a window")
    rain_outside: float | None = _level("rain on leaves, and drips from a gutter")
    thunder: float | None = _level("distant thunder, about every eleven seconds")
    fire: float | None = _level("a wood fire that flutters and crackles")
    cafe: float | None = _level("voices of a café, without words, and cups")
    street: float | None = _level("cars that pass at some distance")
    train: float | None = _level("the inside of a train on jointed rails")
    waves: float | None = _level("waves on a beach, about every seven seconds")
    wind: float | None = _level("gusts around a house, with a whistle")
    night_insects: float | None = _level("crickets on a summer night")
    birds: float | None = _level("birds in a garden")
    brown_noise: float | None = _level("deep, even noise")
    keyboard: float | None = _level("typing, in bursts")
    vinyl: float | None = _level("the noise of a record, in addition to the layer `vinyl`")
    tape: float | None = _level("the hiss of a cassette")

    def __post_init__(self) -> None:
        check(self)

    def audible(self) -> Mapping[str, float]:
        """Return the levels of the sounds that are in the mix."""
        levels = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: level for name, level in levels.items() if level is not None}


SOUNDS: Final = tuple(field.name for field in fields(AmbienceLevels))
"""The names of the sounds."""
