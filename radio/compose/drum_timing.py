"""When drummers strike, measured: how late each drum is at each place of the bar, and how much it wavers.

The table beside the checkpoints was measured in the Groove MIDI Dataset by `python -m train timing`, style by style.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from radio.errors import ModelError
from radio.music.parts import DRUMS
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT, JsonValue, Tick

FURTHEST_MS: Final = 45.0
"""No hit is further from its tick than this; in the measured music what is further is an ornament or a mistake."""

KINDS: Final[Mapping[str, Sequence[int]]] = MappingProxyType(
    {
        "kick": (35, 36),
        "snare": (37, 38, 39, 40),
        "hats": (42,),
        "open hat": (46,),
        "foot": (44,),
        "ride": (51, 53, 59),
        "crash": (49, 52, 55, 57),
        "toms": (41, 43, 45, 47, 48, 50),
    }
)
"""Drums that are played alike; any other is played like the toms."""

PLACES: Final[Sequence[Tick]] = tuple(
    beat + onset for beat in range(0, TICKS_PER_BAR, TICKS_PER_BEAT) for onset in DRUMS.onsets
)
"""Where in the bar drums are struck: a column of the table each."""

ANY: Final = "any"
"""The table's name for a style that it does not know: hip-hop, soul, funk and jazz together."""

_KIND_OF: Final = {pad: kind for kind, pads in KINDS.items() for pad in pads}
_PLACE_OF: Final = {tick: place for place, tick in enumerate(PLACES)}


def kind_of(pad: int) -> str:
    """How a General MIDI drum is played."""
    return _KIND_OF.get(pad, "toms")


def place_of(tick: Tick) -> int:
    """The column of the place at or before `tick`, which may be of any bar."""
    within = tick % TICKS_PER_BAR
    while within not in _PLACE_OF:
        within -= 1
    return _PLACE_OF[within]


@dataclass(frozen=True, slots=True)
class Timing:
    """How drummers of a style time their hits, all in ms after the tick but `memory`.

    late: by kind, at each of `PLACES`. drift, memory: standard deviation of what all limbs share, and the beats in
    which it is forgotten but for 1/e. habit: deviation of what one drummer always does at a place. hit: of what is
    left, hit by hit.
    """

    late: Mapping[str, Sequence[float]]
    drift: float
    memory: float
    habit: float
    hit: float

    def as_json(self) -> dict[str, JsonValue]:
        """As `read` reads it back."""
        return {
            "late": {kind: list(places) for kind, places in self.late.items()},
            "drift": self.drift,
            "memory": self.memory,
            "habit": self.habit,
            "hit": self.hit,
        }


def _every_place(late: Mapping[str, float]) -> Mapping[str, Sequence[float]]:
    return MappingProxyType({kind: (late.get(kind, 0.0),) * len(PLACES) for kind in KINDS})


STEADY: Final = Timing(
    _every_place({"snare": 10.0, "hats": -3.0, "open hat": -3.0, "foot": -3.0, "ride": -3.0}),
    drift=0.0,
    memory=1.0,
    habit=0.0,
    hit=1.5,
)
"""The same every bar: the snare behind the beat, hats and rides a little ahead."""


def read(path: Path) -> Mapping[str, Timing]:
    """The timings of a table by style. Raises ModelError where it cannot be read or lacks something."""
    try:
        styles = json.loads(path.read_text())["styles"]
        found = {style: Timing(**values) for style, values in styles.items()}
        complete = ANY in found and all(
            set(timing.late) == set(KINDS) and all(len(places) == len(PLACES) for places in timing.late.values())
            for timing in found.values()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: not a table of timings ({error})") from error
    if not complete:
        raise ModelError(f"{path}: a table of timings has a style 'any', and {len(PLACES)} places for every kind")
    return found
