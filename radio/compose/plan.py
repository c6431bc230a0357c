"""What a bar is to be: the conductor's word to every performer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from radio.music.chords import Chord
from radio.music.vocab import BACKBEAT, FILL, GROOVE, beat, density, style
from radio.types import TICKS_PER_BAR, Tick, TokenId


@dataclass(frozen=True, slots=True)
class BarPlan:
    """One bar, counted from 0 at the station's first bar line.

    chords: one per beat. densities: level 0–7 by part (`piano`, `drums`); 0 asks for an empty bar. section: `A`–`D`.
    For the drums, style, fill, backbeat (a snare or its like on beats 2 and 4), without (pads to leave alone).
    """

    number: int
    section: str
    chords: tuple[Chord, Chord, Chord, Chord]
    densities: Mapping[str, int]
    style: str
    fill: bool = False
    backbeat: bool = False
    without: frozenset[int] = frozenset()

    @property
    def tick(self) -> Tick:
        """Where the bar starts."""
        return self.number * TICKS_PER_BAR

    def announces_chord(self, number: int) -> bool:
        """Whether the chord is said at beat `number` (1–4): on each bar line, and where it changes."""
        return number == 1 or self.chords[number - 1] != self.chords[number - 2]

    def controls(self, number: int, part: str) -> list[TokenId]:
        """The tokens that stand at beat `number` (1–4) of this bar, in the order the models were trained on."""
        tokens = [beat(number)]
        if self.announces_chord(number):
            tokens += self.chords[number - 1].tokens
        if number == 1:
            tokens += [style(self.style), FILL if self.fill else GROOVE]
            tokens += [BACKBEAT] if self.backbeat else []
            tokens.append(density(self.densities[part]))
        return tokens


@dataclass(frozen=True, slots=True)
class Track:
    """A piece of the programme: about two minutes in one key over one progression."""

    number: int
    title: str
    key: str
    progression: tuple[Chord, ...]
    first_bar: int
    bars: int = field(default=32)
