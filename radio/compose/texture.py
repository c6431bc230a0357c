"""Textures: the ways in which the keys can play a track.

The shares and ranges come from the quantiles of 131 four-bar windows of real lo-fi keyboard loops: 30% have fewer than
1.3 notes sounding on average, 27% are chords of 2.5 to 4.5 notes, and 33% are pads of five or six. Each track draws one
texture, so that a station is as varied as real loops are, and no track is an average of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from radio.compose.taste import NEUTRAL, Taste
from radio.music.attributes import Attributes
from radio.types import TEXTURES, TextureKind


@dataclass(frozen=True, slots=True)
class Texture:
    """The way in which the keys play one track."""

    kind: TextureKind
    voices: int
    """Most notes that sound together."""
    onsets: float
    """Strikes per beat, with a chord counted once."""
    length: float
    """Length of a note in beats; 0 leaves lengths to the model."""
    register: float
    """Mean pitch, as a MIDI note."""
    velocity: float
    """Mean velocity, 1–127."""
    span: int
    """Semitones above and below the register that a held chord reaches."""
    restrike: int
    """Beats after which a held chord is struck again; 0 holds it until the harmony changes or the bar ends."""
    spread: float
    """Standard deviation of the velocities; 0 as in a loop drawn with the mouse."""
    thickness: float = 0.0
    """Mean number of notes struck together; 0 leaves it to the model."""

    def at_density(self, density: float) -> Texture:
        """Return the texture at a density: 0.5 leaves the strikes unchanged, 0 halves and 1 doubles them."""
        return replace(self, onsets=self.onsets * 2 ** (2 * density - 1))

    def in_material(self, material: str) -> Texture:
        """Return the texture to request from the model in a material: `B` is busier than `A`."""
        return replace(self, onsets=self.onsets * _BUSIER) if material == "B" else self

    @property
    def attributes(self) -> Attributes:
        """The attributes of a phrase in this texture."""
        sounding = _SOUNDING[self.kind]
        return Attributes(
            onsets=self.onsets,
            voices=max(1.0, sounding * self.voices),
            length=self.length or None,
            register=self.register,
        )


@dataclass(frozen=True, slots=True)
class _Ranges:
    """The ranges, low and high, from which a kind of texture is drawn."""

    share: float
    voices: tuple[int, int]
    onsets: tuple[float, float]
    length: tuple[float, float]
    register: tuple[float, float]


_RANGES: Final[Mapping[TextureKind, _Ranges]] = {
    "line": _Ranges(0.16, (1, 1), (0.5, 2.4), (0.22, 0.7), (60, 80)),
    "stabs": _Ranges(0.14, (3, 4), (0.5, 1.6), (0.25, 0.5), (55, 70)),
    "thin": _Ranges(0.10, (2, 2), (0.5, 1.8), (0.5, 1.5), (57, 72)),
    "comp": _Ranges(0.27, (3, 5), (0.7, 2.0), (0.0, 0.0), (55, 69)),
    "pad": _Ranges(0.33, (5, 6), (0.25, 0.8), (2.6, 4.0), (53, 68)),
}

_BUSIER: Final = 1.15
"""Ratio of the strikes of a phrase B to those of a phrase A."""

_SOUNDING: Final[Mapping[TextureKind, float]] = {"line": 1.0, "stabs": 1.0, "thin": 0.8, "comp": 0.8, "pad": 1.0}
"""Ratio of the mean number of sounding voices to the most allowed."""

_STILL_SHARE: Final = 0.4
"""Share of loops whose notes all have one velocity."""

_SPREADS: Final = (3.0, 19.0)
_VELOCITIES: Final = (70.0, 15.0)
"""Mean and standard deviation of the loops' mean velocity."""

_SOFTEST, _LOUDEST = 46.0, 102.0


def kinds_of(kinds: tuple[TextureKind, ...], remembered: TextureKind | None) -> tuple[TextureKind, ...]:
    """Return the kinds that suit a phrase written for another kind: voices can be left out, not added.

    Pads need only a top line, so they suit any phrase. All kinds are returned if none of them fits.
    """
    if remembered is None:
        return kinds
    fitting = [kind for kind in kinds if kind == "pad" or _RANGES[kind].voices <= _RANGES[remembered].voices]
    return tuple(fitting) or kinds


def draw_texture(random: Random, kinds: tuple[TextureKind, ...] = TEXTURES, taste: Taste = NEUTRAL) -> Texture:
    """Draw the texture of a track.

    Args:
        random: The track's generator.
        kinds: The kinds that the station plays.
        taste: The listeners' taste.
    """
    kind = taste.choose(random, "texture", kinds, [_RANGES[kind].share for kind in kinds])
    ranges = _RANGES[kind]
    voices = random.randint(*ranges.voices)
    onsets = random.uniform(*ranges.onsets)
    length = random.uniform(*ranges.length)
    register = random.uniform(*ranges.register)
    span = random.randint(10, 24)
    restrike = random.choices((0, 2, 1), (0.5, 0.3, 0.2))[0]
    velocity = min(max(random.gauss(*_VELOCITIES), _SOFTEST), _LOUDEST)
    spread = 0.0 if random.random() < _STILL_SHARE else random.uniform(*_SPREADS)
    return Texture(kind, voices, onsets, length, register, velocity, span, restrike, spread)
