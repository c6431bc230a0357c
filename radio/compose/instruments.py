"""The instruments of a track, drawn from the programs that its station allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from radio.compose.taste import NEUTRAL, Taste
from radio.music.played_instruments import ANY, INSTRUMENTS
from radio.settings.controls import Controls

THIRD_PROGRAMS: Final = (
    8, 9, 10, 12, 14, 21, 22, 24, 26, 40, 42, 45, 46, 52, 53, 56, 59, 60, 64, 65, 66, 68, 70, 71, 74, 75, 77, 79, 80,
    85, 104, 107, 110, 114,
)  # fmt: skip
"""Programs of the random third instrument: those that can play a soft melody."""

DRUM_BANK: Final = 128
"""Bank of the drum kits in a soundfont."""

_THIRD_SHARE: Final = 0.1
"""Share of tracks whose lead is played by a random third instrument."""


@dataclass(frozen=True, slots=True)
class Instruments:
    """The General MIDI programs from which each track draws.

    keys, bass: At least one each. lead: Empty for a station without a lead. third: Programs that a lead rarely has.
    kit: The drum kit of all tracks. presets: Banks and programs that listeners can choose; None for all.
    """

    keys: Sequence[int] = (4,)
    bass: Sequence[int] = (33,)
    lead: Sequence[int] = ()
    third: Sequence[int] = ()
    kit: int = 0
    presets: frozenset[tuple[int, int]] | None = None

    def draw(self, random: Random, taste: Taste = NEUTRAL) -> dict[str, int]:
        """Return the programs of a track by layer; if possible, the lead's differs from that of the keys."""
        keys, bass = taste.choose(random, "keys", self.keys), random.choice(self.bass)
        rare = random.random() < _THIRD_SHARE
        if not self.lead:
            return {"keys": keys, "bass": bass, "drums": self.kit}
        choices = self.third if rare and self.third else self.lead
        lead = taste.choose(random, "lead", [program for program in choices if program != keys] or choices)
        return {"keys": keys, "bass": bass, "drums": self.kit, "lead": lead}

    def played(self, drawn: Mapping[str, int], controls: Controls) -> dict[str, int]:
        """Return the programs of a bar by layer: those drawn for its track, or those that a listener has chosen.

        A choice that the soundfont does not have is ignored.
        """
        programs = dict(drawn)
        for layer, name in (
            ("keys", controls.keys_instrument),
            ("bass", controls.bass_instrument),
            ("lead", controls.lead_instrument),
            ("drums", controls.drum_kit),
        ):
            if name == ANY or layer not in drawn:
                continue
            program = INSTRUMENTS[layer][name]
            bank = DRUM_BANK if layer == "drums" else 0
            if self.presets is None or (bank, program) in self.presets:
                programs[layer] = program
        return programs
