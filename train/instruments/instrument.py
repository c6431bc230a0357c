"""A pitched instrument of the soundfont: timbre, range, velocity layers and envelope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from train.instruments.timbres import Timbre

LOW, MIDDLE, HIGH = 16_000, 22_050, 31_500
"""Hz: sample rates."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One velocity layer."""

    top: int
    """The highest velocity that plays it."""
    velocity: float
    """The velocity to pass to the timbre, in the timbre's unit."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A program: its timbre, and the parameters for sampling it."""

    title: str
    programs: tuple[int, ...]
    timbre: Timbre
    pitches: Sequence[int]
    """MIDI notes that are sampled; each plays the keys nearest to it."""
    layers: Sequence[Layer]
    rate: int = MIDDLE
    start: float = 0.4
    """Seconds before the loop of the lowest notes; 15 % less per octave."""
    loop: float = 0.25
    """Seconds of the loop."""
    falls: bool = True
    rings: bool = False
    """True if it decays as slowly as a tine or a reed, with the overall decay of its timbre."""
    parts: int = 1
    """Samples that sound together, each with its own envelope: 1 or 2."""
    release: float = 0.3
    """Seconds in which a released note falls by 60 dB."""
    attack: float = 0.001
    generators: Mapping[str, int] = field(default_factory=dict)
    keys: tuple[int, int] = (0, 127)
    blended: bool = False
    """True if layers fade into each other over some velocities."""


FULL: Final = (Layer(40, 22), Layer(70, 56), Layer(98, 84), Layer(127, 112))


TWO: Final = (Layer(72, 0.4), Layer(127, 0.9))


ONE: Final = (Layer(127, 0.7),)
