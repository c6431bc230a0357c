"""What a bar is to be: the conductor's word to every performer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from radio.music.chord_loops import Loop
from radio.music.chords import Chord, pitch_class, pitch_name
from radio.music.vocab import BACKBEAT, FILL, GROOVE, beat_token, density_token, style_token
from radio.types import TICKS_PER_BAR, Mode, MoodChoice, Tick, TokenId


@dataclass(frozen=True, slots=True)
class BarPlan:
    """One bar, counted from 0 at the station's first bar line.

    chords: one per beat. held: the first chord has sounded since the bar before.
    densities: level 0–7 by part (`piano`, `drums`); 0 asks for an empty bar. section: `A`–`D`.
    loop, place: the loop that comes round here, and which of its bars this is; none for a bar that stands alone.
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
    held: bool = False
    loop: Loop | None = None
    place: int = 0

    @property
    def tick(self) -> Tick:
        """Where the bar starts."""
        return self.number * TICKS_PER_BAR

    def announces_chord(self, number: int) -> bool:
        """Whether the chord is said at beat `number` (1–4): on each bar line, and where it changes."""
        return number == 1 or self.chords[number - 1] != self.chords[number - 2]

    def begins_chord(self, number: int) -> bool:
        """Whether a chord begins at beat `number` (1–4), rather than being said again or going on."""
        return self.announces_chord(number) and not (number == 1 and self.held)

    def controls(self, number: int, part: str) -> list[TokenId]:
        """The tokens that stand at beat `number` (1–4) of this bar, in the order the models were trained on."""
        tokens = [beat_token(number)]
        if self.announces_chord(number):
            tokens += self.chords[number - 1].tokens
        if number == 1:
            tokens += [style_token(self.style), FILL if self.fill else GROOVE]
            tokens += [BACKBEAT] if self.backbeat else []
            tokens.append(density_token(self.densities[part]))
        return tokens


@dataclass(frozen=True, slots=True)
class Track:
    """A piece of the programme: about two minutes in one key.

    key: its tonic; of a minor track, of the relative major. mode: `major`, `minor`, or none where nobody said.
    mood: what was asked of its harmony. sections: by letter, the loop that comes round in it, in the track's key.
    turned: the bar from which another mood was asked for on the way, at which its loops begin.
    """

    number: int
    title: str
    key: str
    mode: Mode | None
    mood: MoodChoice
    sections: Mapping[str, Loop]
    first_bar: int
    bars: int = field(default=32)
    turned: int = 0

    @property
    def key_name(self) -> str:
        """As musicians say it: `Eb`, or `Cm` for a minor track with Eb's signature; just the tonic without a mode."""
        return f"{pitch_name(pitch_class(self.key) + 9)}m" if self.mode == "minor" else self.key
