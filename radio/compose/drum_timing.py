"""The measured timing of a band: the lateness of each drum at each place in the bar, and of keys and bass behind them.

`python -m train timing` writes the table next to the checkpoints. The drums are from the Groove MIDI Dataset, by style;
keys and bass are from the Jazz Trio Database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import fmean
from types import MappingProxyType
from typing import Final

from radio.errors import ModelError
from radio.files import source
from radio.music.parts import DRUMS
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, JsonValue, Tick

FURTHEST_MS: Final = 45.0
"""Largest distance of a hit from its tick. In the measured music, hits farther away are ornaments or mistakes."""

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
"""Places in the bar where drums are struck, one per column of the table."""

ANY: Final = "any"
"""The entry for styles that the table does not contain: hip-hop, soul, funk and jazz combined."""

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


FOLLOWERS: Final = ("keys", "bass")
"""The layers whose lateness behind the drums is in the table."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """The lateness of a player behind the drums, in ms.

    mean, spread: mean and standard deviation over takes. low, high: range of nine takes in ten. own: standard deviation
    within a take.
    """

    mean: float = 0.0
    spread: float = 0.0
    low: float = 0.0
    high: float = 0.0
    own: float = 0.0

    def draw(self, random: Random) -> float:
        """Draw the lateness of one player."""
        return min(max(random.gauss(self.mean, self.spread), self.low), self.high)


@dataclass(frozen=True, slots=True)
class Timing:
    """The timing of drummers of one style, in ms after the tick, except for `memory`.

    late: mean lateness by kind, at each of `PLACES`. drift: standard deviation of the component that all limbs share.
    memory: beats in which the drift decays to 1/e. habit: standard deviation of a drummer's constant offset at a place.
    hit: standard deviation of the remainder, per hit. followers: lateness of keys and bass behind the drums.
    """

    late: Mapping[str, Sequence[float]]
    drift: float
    memory: float
    habit: float
    hit: float
    followers: Mapping[str, Lateness] = field(default_factory=lambda: {layer: Lateness() for layer in FOLLOWERS})

    @property
    def on_beats(self) -> float:
        """Mean lateness of kick, snare, hats and ride on the beats."""
        places = range(0, len(PLACES), len(PLACES) // BEATS_PER_BAR)
        return fmean(self.late[kind][place] for kind in ("kick", "snare", "hats", "ride") for place in places)

    def as_json(self) -> dict[str, JsonValue]:
        """Return the timing in the format that `read` expects."""
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


def _lateness(values: Mapping[str, float]) -> Lateness:
    """Return a lateness from its table. Raises TypeError or ValueError for unknown names and values of other types."""
    return Lateness(**{name: float(value) for name, value in values.items()})


def read(path: Path) -> Mapping[str, Timing]:
    """Read a table of timings, by style. Raise ModelError if it cannot be read or is incomplete."""
    try:
        table = json.loads(source(path).read_text())
        followers = {layer: _lateness(table.get("followers", {}).get(layer, {})) for layer in FOLLOWERS}
        timings = {style: Timing(**values, followers=followers) for style, values in table["styles"].items()}
        complete = ANY in timings and all(
            set(timing.late) == set(KINDS) and all(len(places) == len(PLACES) for places in timing.late.values())
            for timing in timings.values()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: not a table of timings ({error})") from error
    if not complete:
        raise ModelError(f"{path}: a table of timings needs a style 'any', and {len(PLACES)} places for every kind")
    return timings
