"""The measured timing of drummers: the lateness of each drum at each place of the bar, and its variation.

The table beside the checkpoints was measured from the Groove MIDI Dataset by `python -m train timing`, style by style.
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
"""Largest distance of a hit from its tick. In the measured music, hits beyond it are ornaments or mistakes."""

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
"""Groups of drums with the same timing; all other drums are timed like the toms."""

PLACES: Final[Sequence[Tick]] = tuple(
    beat + onset for beat in range(0, TICKS_PER_BAR, TICKS_PER_BEAT) for onset in DRUMS.onsets
)
"""Places of the bar where drums are struck, each a column of the table."""

ANY: Final = "any"
"""The entry for styles that the table does not contain: hip-hop, soul, funk and jazz together."""

_KIND_OF: Final = {pad: kind for kind, pads in KINDS.items() for pad in pads}
_PLACE_OF: Final = {tick: place for place, tick in enumerate(PLACES)}


def kind_of(pad: int) -> str:
    """Return the group of a General MIDI drum."""
    return _KIND_OF.get(pad, "toms")


def place_of(tick: Tick) -> int:
    """Return the column of the last place at or before `tick`, in any bar."""
    within = tick % TICKS_PER_BAR
    while within not in _PLACE_OF:
        within -= 1
    return _PLACE_OF[within]


@dataclass(frozen=True, slots=True)
class Timing:
    """The timing of drummers of one style, in ms after the tick, except for `memory`.

    late: mean lateness by kind, at each of `PLACES`. drift: standard deviation of the part that all limbs share.
    memory: beats in which the drift decays to 1/e. habit: standard deviation of what a drummer always does at a place.
    hit: standard deviation of the rest, hit by hit.
    """

    late: Mapping[str, Sequence[float]]
    drift: float
    memory: float
    habit: float
    hit: float

    def as_json(self) -> dict[str, JsonValue]:
        """Return the timing in the form that `read` reads."""
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
"""The same timing in every bar: the snare behind the beat, hats and rides a little ahead."""


def read(path: Path) -> Mapping[str, Timing]:
    """Read a table of timings, by style. Raise ModelError if it cannot be read or is incomplete."""
    try:
        styles = json.loads(path.read_text())["styles"]
        timings = {style: Timing(**values) for style, values in styles.items()}
        complete = ANY in timings and all(
            set(timing.late) == set(KINDS) and all(len(places) == len(PLACES) for places in timing.late.values())
            for timing in timings.values()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: not a table of timings ({error})") from error
    if not complete:
        raise ModelError(f"{path}: a table of timings has a style 'any', and {len(PLACES)} places for every kind")
    return timings
