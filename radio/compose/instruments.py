"""The instruments of a track, drawn from the programs that its station allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from radio.compose.taste import NEUTRAL, Taste

THIRD_PROGRAMS: Final = (
    8, 9, 10, 12, 14, 21, 22, 24, 26, 40, 42, 45, 46, 52, 53, 56, 59, 60, 64, 65, 66, 68, 70, 71, 74, 75, 77, 79, 80,
    85, 104, 107, 110, 114,
)  # fmt: skip
"""Programs of the random third instrument: those that can play a soft melody."""

_THIRD_SHARE: Final = 0.1
"""Share of tracks whose lead is played by a random third instrument."""


@dataclass(frozen=True, slots=True)
class Instruments:
    """General MIDI programs that each track draws one of.

    keys, bass: At least one each. lead: Empty for a station without a lead. third: Programs that a lead rarely has.
    """

    keys: Sequence[int] = (4,)
    bass: Sequence[int] = (33,)
    lead: Sequence[int] = ()
    third: Sequence[int] = ()

    def draw(self, random: Random, taste: Taste = NEUTRAL) -> dict[str, int]:
        """Return the programs of a track by layer; the lead's differs from that of the keys where it can."""
        keys, bass = taste.choose(random, "keys", self.keys), random.choice(self.bass)
        rare = random.random() < _THIRD_SHARE
        if not self.lead:
            return {"keys": keys, "bass": bass}
        choices = self.third if rare and self.third else self.lead
        lead = taste.choose(random, "lead", [program for program in choices if program != keys] or choices)
        return {"keys": keys, "bass": bass, "lead": lead}
