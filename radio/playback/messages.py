"""Messages from the player to the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from radio.settings.station import StationSettings
from radio.types import Action, Frames, JsonValue, StationEvent


@dataclass(frozen=True, slots=True)
class StationChanged:
    """Another station started to play."""

    settings: StationSettings


@dataclass(frozen=True, slots=True)
class StationFailed:
    """Another station cannot be played; the current one plays on."""

    settings: StationSettings
    reason: str


@dataclass(frozen=True, slots=True)
class EventPlayed:
    """An event of the current station that is heard now, at the player's frame `frame`."""

    event: StationEvent
    frame: Frames


@dataclass(frozen=True, slots=True)
class ControlsChanged:
    """Changed controls, and the bar in which those that wait for a bar line take effect; None if none waits."""

    patch: Mapping[str, JsonValue]
    bar: int | None


@dataclass(frozen=True, slots=True)
class ActionDone:
    """An action that was performed, and the bar in which it takes effect."""

    action: Action
    bar: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A message for the listener."""

    text: str


PlayerMessage: TypeAlias = StationChanged | StationFailed | EventPlayed | ControlsChanged | ActionDone | Notice


@dataclass(frozen=True, slots=True)
class Level:
    """The peak sample and the mean square of each channel, left and right, full scale 1."""

    peak: tuple[float, float]
    power: tuple[float, float]
