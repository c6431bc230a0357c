"""Modifiers: negations, degrees and comparisons, and the facets of a concept under them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from radio.prompt.concepts import Choice, Degree, Loudness, Scene
from radio.prompt.facets import CLEAR, LEVEL_STEP, MILD, SCALES, Facet

VERY: Final = 1.6
A_BIT: Final = 0.5
_OPPOSITE: Final = 0.5
"""Degree of a negated adjective: not fast is half as slow as slow."""
_DENSITIES: Final = {"keys": "density", "drums": "drums.density", "lead": "lead.density"}


@dataclass(slots=True)
class Modifiers:
    """The words before a content word.

    start: index of the first of them; None if there are none. no, too: negated; too much. amount: 1.6 for very, 0.5 for
    a bit. compared: 1 for more, -1 for less. loudness, density: adjectives that wait for their layer, as in soft drums
    and busy drums.
    """

    start: int | None = None
    no: bool = False
    too: bool = False
    amount: float = 1.0
    compared: int = 0
    loudness: Loudness | None = None
    density: Degree | None = None

    @property
    def factor(self) -> float:
        """The factor for the degree of an adjective."""
        if self.no:
            return -_OPPOSITE
        return -self.amount if self.too else self.amount

    @property
    def turns(self) -> bool:
        """True if a choice means its opposite."""
        return self.no or self.too or self.compared < 0

    def level(self, aspect: str, loudness: Loudness) -> Facet:
        """Return the level of a layer that is called soft or loud."""
        return Facet(aspect, LEVEL_STEP * loudness.steps * self.factor, relative=loudness.compared)

    def turned_level(self, aspect: str) -> Facet:
        """Return the change in level of a layer after more or less."""
        sign = -self.compared if self.no else self.compared
        return Facet(aspect, LEVEL_STEP * sign * self.amount, relative=True)

    def layer_density(self, layer: str, density: Degree) -> list[Facet]:
        """Return the density of a layer, or an empty list for a layer that has none."""
        aspect = _DENSITIES.get(layer)
        return [] if aspect is None else [self.degree(replace(density, aspect=aspect))]

    def degree(self, concept: Degree) -> Facet:
        """Return the facet of a degree on a scale."""
        scale, aspect = SCALES[concept.aspect], concept.aspect
        if self.compared or concept.compared or (self.too and not self.no):
            degree = self.amount * (1 if concept.noun else concept.degree)
            sign = (self.compared or 1) * (-1 if self.no or self.too else 1)
            return Facet(aspect, scale.change(sign * degree), relative=True)
        if self.no and concept.noun:
            return Facet(aspect, scale.least)
        if self.no:
            return Facet(aspect, scale.at(-_OPPOSITE * concept.degree), weight=MILD)
        return Facet(aspect, scale.at(concept.degree * self.amount))

    def lone_loudness(self, loudness: Loudness) -> tuple[Facet, ...]:
        """Return the facets of soft or loud without a layer."""
        return tuple(map(_mirrored, loudness.alone)) if self.turns else loudness.alone

    def choice(self, concept: Choice, *, turned: bool) -> list[Facet]:
        """Return the facets of a choice, or of its opposite."""
        if turned:
            return [Facet(concept.aspect, concept.opposite, weight=MILD)] if concept.opposite else []
        facets = [Facet(concept.aspect, concept.value, weight=MILD if self.amount == A_BIT else CLEAR), *concept.also]
        if concept.aspect == "kit":
            facets += self.layer("drums")
        if concept.value == "calm" and self.compared > 0:
            facets.append(Facet("energy", SCALES["energy"].change(-1), relative=True))
        return facets

    def layer(self, name: str, aspect: str = "") -> list[Facet]:
        """Return the level or density of a layer according to the adjectives before it.

        Args:
            name: The layer, or the part of an instrument.
            aspect: The aspect of its level, if that is not `name.level`.
        """
        target = aspect or f"{name}.level"
        if self.density is not None:
            return self.layer_density(name, self.density)
        if self.loudness is not None:
            return [self.level(target, self.loudness)]
        return [self.turned_level(target)] if self.compared else []

    @staticmethod
    def scene(concept: Scene, *, turned: bool) -> list[Facet]:
        """Return the facets of a scene; if it is ruled out, its layers turned off."""
        if not turned:
            return [*concept.facets]
        return [Facet(facet.aspect, "off") for facet in concept.facets if facet.value == "on"]


def _mirrored(facet: Facet) -> Facet:
    value = -float(facet.value) if facet.relative else 1 - float(facet.value)
    return replace(facet, value=value, weight=MILD)
