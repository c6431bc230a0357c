"""Plans of bars, and the tracks that they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from radio.compose.memory import Memento
from radio.compose.phrase import Phrase
from radio.compose.prime import Prime
from radio.compose.script import BarScript
from radio.compose.texture import Texture
from radio.compose.wish import ANY, Wish
from radio.music.chord_loops import Loop
from radio.music.chords import MAJOR, Chord, key_name, pitch_class
from radio.music.parts import PIANO
from radio.music.vocab import BACKBEAT, FILL, GROOVE, beat_token, density_token, style_token
from radio.types import STILL, TICKS_PER_BAR, MixMove, Mode, Tick, TokenId


@dataclass(frozen=True, slots=True)
class Request:
    """The controls that plans depend on."""

    density: float = 0.5
    drums_density: float = 0.5
    wish: Wish = ANY
    tempo: float = 80.0
    lead_density: float = 0.5
    energy: float = 0.5


@dataclass(frozen=True, slots=True)
class BarPlan:
    """One bar, counted from 0 at the station's first bar line.

    section: name of the section, such as `intro` or `A`. chords: one per beat. densities: level 0–7 by part (`piano`,
    `drums`); 0 requests an empty bar. style, fill, backbeat: for the drums; the backbeat is a snare on beats 2 and 4.
    held: True if the first chord continues from the previous bar. loop, place: the chord loop, and the number of this
    bar in it; None for a bar without a loop. elapsed: bars since the loop began, repetitions included. layers: the
    layers that sound. mix: the move of the mix during the bar. holds: True if a listener holds this loop. attributes:
    tokens that ask the piano model for a texture (`radio.music.attributes`).
    """

    number: int
    section: str
    chords: tuple[Chord, Chord, Chord, Chord]
    densities: Mapping[str, int]
    style: str
    fill: bool = False
    backbeat: bool = False
    held: bool = False
    loop: Loop | None = None
    place: int = 0
    elapsed: int = 0
    layers: frozenset[str] = frozenset({"keys", "bass", "drums"})
    mix: MixMove = STILL
    holds: bool = False
    attributes: tuple[TokenId, ...] = ()

    @property
    def tick(self) -> Tick:
        """The bar line at which the bar starts."""
        return self.number * TICKS_PER_BAR

    def announces_chord(self, number: int) -> bool:
        """Return True if the chord's tokens are written at beat `number` (1–4): on each bar line and at each change."""
        return number == 1 or self.chords[number - 1] != self.chords[number - 2]

    def begins_chord(self, number: int) -> bool:
        """Return True if another chord begins at beat `number` (1–4)."""
        return self.announces_chord(number) and not (number == 1 and self.held)

    def controls(self, number: int, part: str) -> list[TokenId]:
        """Return the control tokens at beat `number` (1–4), in the order of the training data."""
        tokens = [beat_token(number)]
        if self.announces_chord(number):
            tokens += self.chords[number - 1].tokens
        if number == 1:
            tokens += [style_token(self.style), FILL if self.fill else GROOVE]
            tokens += [BACKBEAT] if self.backbeat else []
            tokens += self.attributes if part == PIANO.name else ()
            tokens.append(density_token(self.densities[part]))
        return tokens


@dataclass(frozen=True, slots=True)
class Track:
    """A piece of the program: one to three minutes in one key, over one or two chord loops.

    home: the tonic that was drawn. key: the tonic in use, which differs from `home` if listeners request one; for a
    minor track, the tonic of the relative major. mode: None if a written loop does not specify it. wish: the requested
    harmony. loops: the chord loop of each material (`A`, `B`), in the track's key. script: one entry per bar. texture:
    texture of the keys. tempo_offset, swing_offset: added to the station's controls. turned: the bar at which a new
    harmony took effect, where its loops begin. programs: General MIDI programs of `keys`, `bass` and, if the track has
    one, `lead`. recalled: the remembered phrase that returns in this track. prime: the music that the track starts
    from. tempo: BPM of the prime.
    """

    number: int
    title: str
    home: str
    key: str
    mode: Mode | None
    wish: Wish
    loops: Mapping[str, Loop]
    script: tuple[BarScript, ...]
    texture: Texture
    first_bar: int
    tempo_offset: float = 0.0
    swing_offset: float = 0.0
    turned: int = 0
    programs: Mapping[str, int] = field(default_factory=dict)
    recalled: Memento | None = None
    prime: Prime | None = None
    tempo: float | None = None

    @property
    def bars(self) -> int:
        """The number of bars."""
        return len(self.script)

    @property
    def key_name(self) -> str:
        """The key as musicians write it: `Eb`, or `Cm` for a minor track; only the tonic if there is no mode."""
        return key_name(self.key, self.mode)

    @property
    def scale(self) -> frozenset[int]:
        """The pitch classes of the key; a minor key has the same ones as its relative major."""
        return frozenset((pitch_class(self.key) + interval) % 12 for interval in MAJOR)

    def loop_place(self, bar: int) -> int:
        """Return the number of bars from the beginning of the chord loop to `bar`, a bar number of the station."""
        return bar - max(bar - self.script[bar - self.first_bar].place, self.turned)


def given_phrases(track: Track) -> dict[str, Phrase]:
    """Return the phrases that a track takes from its prime, by name in the material."""
    prime = track.prime
    if prime is None:
        return {}
    phrases = {"drums A": prime.drums, "motif": prime.motif}
    if prime.literal:
        phrases = {"keys A": prime.passage, "keys B": prime.second, **phrases}
    return {name: phrase for name, phrase in phrases.items() if phrase is not None}
