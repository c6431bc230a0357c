"""Facets: single wishes about the music, in terms of music rather than controls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

Aspect: TypeAlias = str
"""Property of the music: `tempo`, `mood`, `keys`, or a layer with a dot and a property, such as `drums.level`."""

FacetValue: TypeAlias = float | str
"""A number in the unit of the aspect, or a word. Layers are `on` or `off`."""

IMPLIED: Final = 1
"""Weight of a facet that a scene suggests, such as a darker sound at night."""
MILD: Final = 2
"""Weight of a facet that follows from a negation, or from words such as a bit."""
CLEAR: Final = 3
"""Weight of a facet that is stated outright."""
EXACT: Final = 4
"""Weight of a number, which overrides a word such as slow."""


@dataclass(frozen=True, slots=True)
class Facet:
    """One wish.

    aspect: the property of the music.
    value: its value; with `relative`, a number to add to the current value, or a factor for frequencies.
    weight: from `IMPLIED` to `EXACT`. Of two facets with the same aspect, the one with the higher weight wins.
    """

    aspect: Aspect
    value: FacetValue
    relative: bool = False
    weight: int = CLEAR

    def weighing(self, weight: int) -> Facet:
        """Return the facet with at most this weight."""
        return replace(self, weight=min(weight, self.weight))


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the prompt: indices of characters, `end` excluded."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """Return the span from the start of this one to the end of the other."""
        return Span(min(self.start, other.start), max(self.end, other.end))


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of the prompt and its meaning.

    span: the place in the prompt. text: the words as they were written. facets: the wishes; none if the words were not
    understood, for the reason in `reason`. instrument, barred: a named instrument, and whether it was ruled out.
    part: the part that the instrument is wanted for; empty for any. note: a remark on the interpretation.
    """

    span: Span
    text: str
    facets: tuple[Facet, ...] = ()
    reason: str = ""
    instrument: str = ""
    barred: bool = False
    part: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """The values of an aspect that words such as slow and fast range over.

    values: values at the degrees -2, -1, 0, 1 and 2; `very slow` is -1.6. step: change for a comparison, such as
    slower; a factor if `kind` is `ratio`. least: the value for an outright negation, such as `no swing`.
    """

    values: tuple[float, float, float, float, float]
    step: float
    least: float
    kind: Literal["sum", "ratio"] = "sum"

    def at(self, degree: float) -> float:
        """Return the value at a degree from -2 to 2."""
        place = min(max(degree, -2.0), 2.0) + 2.0
        below = min(int(place), 3)
        low, high = self.values[below], self.values[below + 1]
        return low + (high - low) * (place - below)

    def change(self, degree: float) -> float:
        """Return the number to add, or the factor, for a comparison of this degree; slower has degree -1."""
        return self.step**degree if self.kind == "ratio" else self.step * degree

    @property
    def neutral(self) -> float:
        """The value at degree 0, such as neither slow nor fast."""
        return self.values[2]


SCALES: Final[Mapping[Aspect, Scale]] = {
    "tempo": Scale((52, 66, 78, 92, 108), 8, 60),
    "swing": Scale((50, 52, 56, 62, 66), 3, 50),
    "density": Scale((0.1, 0.25, 0.5, 0.75, 0.95), 0.2, 0.1),
    "drums.density": Scale((0.05, 0.25, 0.5, 0.75, 0.95), 0.2, 0.1),
    "lead.density": Scale((0.1, 0.25, 0.5, 0.75, 1), 0.2, 0.1),
    "brightness": Scale((1_500, 4_000, 10_000, 16_000, 20_000), 1.6, 2_500, "ratio"),
    "wow": Scale((0, 0.1, 0.3, 0.7, 1), 0.25, 0),
    "energy": Scale((0.05, 0.25, 0.5, 0.75, 0.95), 0.2, 0.1),
    "freedom": Scale((0.5, 0.7, 1, 1.25, 1.5), 0.2, 0.6),
}
"""The aspects that have degrees. Units are BPM, percent, shares, hertz; freedom is the temperature of the models."""

LEVEL_STEP: Final = 5.0
"""Change of a layer's level, in dB, for words such as `louder`, `more` and `soft`."""
