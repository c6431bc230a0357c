"""Extents: the parts of a station's music that a file can contain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from radio.types import Seconds


@dataclass(frozen=True, slots=True)
class WholeTracks:
    """The first tracks of a station, from the intro of the first to the ending of the last."""

    count: int = 1


@dataclass(frozen=True, slots=True)
class BarLoop:
    """Bars of the first track between its intro and its outro, to be played in a loop."""

    bars: int


@dataclass(frozen=True, slots=True)
class TimedExcerpt:
    """The first seconds of a station, with a fade that begins where a phrase ends."""

    seconds: Seconds


Extent: TypeAlias = WholeTracks | BarLoop | TimedExcerpt
